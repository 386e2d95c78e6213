"""Where the photographs of recoveries lie (AL-05): made by the application and by its jobs."""

from __future__ import annotations

from identity.recovery.model import Upload
from identity.recovery.rules import KINDS
from servicekit.db import Database
from servicekit.storage import Storage, StorageSettings
from servicekit.uploads import Uploads
from servicekit.vault import Vault, vault_of


def uploads_of(settings: StorageSettings, vault: Vault) -> Uploads[Upload]:
    """The files of an installation."""
    storage = Storage.of(settings)
    return Uploads(Upload, KINDS, storage=storage, vault=vault, service="identity")


def uploads_on(settings: StorageSettings, database: Database) -> Uploads[Upload]:
    """The same for a job, which has a database and no app."""
    return uploads_of(settings, vault_of(database.engine.dialect))
