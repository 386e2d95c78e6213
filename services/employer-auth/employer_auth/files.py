"""The files that people send to employer-auth: their table, and where they lie (AL-05)."""

from __future__ import annotations

from employer_auth.authorisation_codes.rules import FILES
from employer_auth.settings import Settings
from employer_auth.tables import Base
from servicekit.db import Database
from servicekit.storage import Storage
from servicekit.upload_table import UploadColumns
from servicekit.uploads import Uploads
from servicekit.vault import Vault, vault_of


class Upload(UploadColumns, Base):
    """One file."""

    __tablename__ = "upload"


def uploads_of(settings: Settings, vault: Vault) -> Uploads[Upload]:
    """The files of an installation."""
    storage = Storage.of(settings)
    return Uploads(Upload, FILES, storage=storage, vault=vault, service="employer-auth")


def uploads_on(settings: Settings, database: Database) -> Uploads[Upload]:
    """The same for a job, which has a database and no app."""
    return uploads_of(settings, vault_of(database.engine.dialect))
