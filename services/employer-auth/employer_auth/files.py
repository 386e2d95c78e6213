"""The files that people send to employer-auth: their table, and what may be sent (AL-05)."""

from __future__ import annotations

from typing import Final

from employer_auth.settings import Settings
from employer_auth.tables import Base
from servicekit.db import Database
from servicekit.file_content import JPEG, PDF, PNG
from servicekit.storage import Storage
from servicekit.upload_table import FileKind, UploadColumns
from servicekit.uploads import Uploads
from servicekit.vault import Vault, vault_of

MEGABYTE: Final = 1024 * 1024
_PAPER: Final = frozenset({JPEG, PNG, PDF})
_PURPOSE: Final = "authorisation-code"

LICENCE: Final = FileKind("unit-licence", "营业执照或登记证书", _PURPOSE, _PAPER, 8 * MEGABYTE)
LETTER: Final = FileKind("unit-letter", "单位委托书（盖单位公章）", _PURPOSE, _PAPER, 8 * MEGABYTE)
DOCUMENT: Final = FileKind("agent-document", "经办人有效身份证件", _PURPOSE, _PAPER, 8 * MEGABYTE)
KINDS: Final = (LICENCE, LETTER, DOCUMENT)


class Upload(UploadColumns, Base):
    """One file."""

    __tablename__ = "upload"


def uploads_of(settings: Settings, vault: Vault) -> Uploads[Upload]:
    """The files of an installation."""
    storage = Storage.of(settings)
    return Uploads(Upload, KINDS, storage=storage, vault=vault, service="employer-auth")


def uploads_on(settings: Settings, database: Database) -> Uploads[Upload]:
    """The same for a job, which has a database and no app."""
    return uploads_of(settings, vault_of(database.engine.dialect))
