"""Files that people send with applications (AL-05): cleaned, sealed, outside the database.

A service declares its table from ``upload_table.UploadColumns`` and makes one ``Uploads`` of it.
A file goes through its states in this order, each written by a transaction of its own::

    receiving ──> ready ──> attached ──> deleting ──> deleted
        └───────────┴─────────────────────^

The row comes first and the object after it, so nothing lies anywhere that no row knows; whoever
dies on the way leaves a row that :func:`sweep` takes up. Only ``ready`` and ``attached`` are shown.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from servicekit import logs
from servicekit.access_records import record_look
from servicekit.applications import Actor
from servicekit.columns import new_id
from servicekit.db import Database
from servicekit.errors import Refusal
from servicekit.file_content import Content, clean
from servicekit.file_kinds import FileKind
from servicekit.storage import Storage
from servicekit.upload_table import (
    SHOWN,
    TooManyFiles,
    UploadColumns,
    UploadInUse,
    UploadNotFound,
    UploadsBusy,
    UploadState,
)
from servicekit.vault import Vault

log = logs.get_logger()

RECEIVING_LASTS: Final = timedelta(hours=1)  # then whoever received it is dead
UNATTACHED_LASTS: Final = timedelta(hours=24)  # a form left open over night is not lost
LOOSE_AT_MOST: Final = 30  # files of one owner that belong to nothing yet
AT_ONCE: Final = 1  # file decoded at a time in one process, so that its memory stays bounded
WAIT_SECONDS: Final = 10
CHUNK: Final = 100  # rows a sweep takes at a time

Row = TypeVar("Row", bound=UploadColumns)


class Uploads(Generic[Row]):
    """The files of one service.

    Args:
        table: the mapped class.
        kinds: what may be sent, by code.
    """

    def __init__(
        self,
        table: type[Row],
        kinds: Collection[FileKind],
        *,
        storage: Storage,
        vault: Vault,
        service: str,
    ) -> None:
        self.table = table
        self.table_name: str = table.__tablename__  # type: ignore[attr-defined]
        self._made: Any = table
        self.kinds = {kind.code: kind for kind in kinds}
        self.storage = storage
        self._vault = vault
        self._service = service
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def receive(
        self,
        database: Database,
        data: bytes,
        kind: str,
        *,
        owner_id: str,
        uploaded_by: str,
        now: datetime,
    ) -> Row:
        """Take a file in; outside of any transaction, it writes two of its own.

        Raises:
            FileTooLarge, TooManyFiles, and what ``file_content.clean`` raises.
            UploadsBusy, StorageUnavailable: the same file may be sent again.
        """
        wanted = self.kinds[kind]
        wanted.check_size(len(data))
        self._check_loose(database, owner_id)
        content = self._cleaned(data, wanted)
        row: Row = self._made(
            id=new_id(),
            owner_id=owner_id,
            uploaded_by=uploaded_by,
            purpose=wanted.purpose,
            kind=kind,
            state=UploadState.RECEIVING,
            media_type=content.media_type,
            size=len(content.data),
            pages=content.pages,
            sha256=content.sha256,
            created_at=now,
            delete_at=now + RECEIVING_LASTS,
        )
        row.storage_key = f"{wanted.purpose}/{now:%Y-%m}/{row.id}"
        with database.transaction() as db:
            db.add(row)
        self.storage.put(row.storage_key, self._vault.seal_bytes(content.data, self._place(row)))
        with database.transaction() as db:
            lasts = {"state": UploadState.READY, "delete_at": now + UNATTACHED_LASTS}
            if not self._move(db, [row.id], UploadState.RECEIVING, **lasts):
                raise UploadNotFound  # it took so long that it was swept away
        for name, value in lasts.items():
            setattr(row, name, value)
        return row

    def find(self, db: Session, upload_id: str, *whose: ColumnElement[bool]) -> Row:
        """A file that may be shown.

        Args:
            whose: conditions that say what the asker may see; at least one.

        Raises:
            UploadNotFound
        """
        if not whose:
            raise ValueError("say whose files may be seen")
        shown = self.table.state.in_(SHOWN)
        row = db.scalar(select(self.table).where(self.table.id == upload_id, shown, *whose))
        if row is None:
            raise UploadNotFound
        return row

    def of_subject(self, db: Session, subject_id: str) -> list[Row]:
        """The files attached to something, oldest first."""
        found = select(self.table).where(
            self.table.subject_id == subject_id, self.table.state == UploadState.ATTACHED
        )
        return list(db.scalars(found.order_by(self.table.created_at, self.table.id)))

    def read(self, row: Row) -> bytes:
        """The bytes of a file, as they were kept.

        Raises:
            UploadNotFound: deleted since.
            StorageUnavailable
        """
        sealed = self.storage.get(row.storage_key)
        if sealed is None:
            raise UploadNotFound
        return self._vault.open_bytes(sealed, self._place(row))

    def look(self, db: Session, row: Row, *, actor: Actor, reason: str, now: datetime) -> bytes:
        """The same for somebody who is not the owner; the look is on record (AL-04).

        Raises:
            ReasonMissing, UploadNotFound, StorageUnavailable
        """
        record_look(
            db,
            column=f"{self.table_name}.{row.kind}",
            record_id=row.id,
            owner_id=row.owner_id,
            actor=actor,
            reason=reason,
            now=now,
        )
        return self.read(row)

    def attach(
        self,
        db: Session,
        upload_ids: Sequence[str],
        subject_id: str,
        *,
        owner_id: str,
        now: datetime,
    ) -> list[Row]:
        """Tie files to what they were sent for; those tied to it already stay.

        Raises:
            UploadNotFound: one is not there, not this owner's, or tied to something else.
        """
        ids = sorted(set(upload_ids))
        table = self.table
        held = select(table).where(table.id.in_(ids), table.owner_id == owner_id)
        rows = list(db.scalars(held.order_by(table.id).with_for_update()))
        fits = [r for r in rows if r.state in SHOWN and r.subject_id in (None, subject_id)]
        if len(fits) != len(ids):
            raise UploadNotFound
        for row in fits:
            if row.subject_id is None:
                row.state, row.subject_id = UploadState.ATTACHED, subject_id
                row.attached_at, row.delete_at = now, None
        db.flush()
        return fits

    def detach(self, db: Session, subject_id: str, *, keep: Collection[str], now: datetime) -> None:
        """Let go of a subject's files but those to keep; the next sweep deletes them."""
        table = self.table
        db.execute(
            update(table)
            .where(table.subject_id == subject_id, table.state == UploadState.ATTACHED)
            .where(table.id.not_in(list(keep)))
            .values(delete_at=now, state=UploadState.DELETING)
        )

    def delete_later(self, db: Session, subject_id: str, at: datetime) -> None:
        """What was decided needs its files so long and no longer."""
        table = self.table
        db.execute(
            update(table)
            .where(table.subject_id == subject_id, table.state == UploadState.ATTACHED)
            .values(delete_at=at)
        )

    def throw_away(self, db: Session, row: Row, *, now: datetime) -> None:
        """The owner does not want it any more.

        Raises:
            UploadInUse: it belongs to something already.
        """
        if not self._move(
            db, [row.id], UploadState.READY, state=UploadState.DELETING, delete_at=now
        ):
            raise UploadInUse

    def sweep(self, database: Database, now: datetime) -> int:
        """Delete what is due: left half-written, never attached, or kept long enough.

        Returns: how many files are gone.
        """
        removed = 0
        while True:
            with database.transaction() as db:
                due = self._due(db, now)
                self._move(db, [row.id for row in due], state=UploadState.DELETING)
            for row in due:
                self.storage.delete(row.storage_key)
            with database.transaction() as db:
                gone = {"state": UploadState.DELETED, "deleted_at": now, "delete_at": None}
                self._move(db, [row.id for row in due], UploadState.DELETING, **gone)
            removed += len(due)
            if len(due) < CHUNK:
                break
        if removed:
            log.info("files deleted", count=removed)
        return removed

    def _due(self, db: Session, now: datetime) -> list[Row]:
        table = self.table
        due = select(table).where(table.state != UploadState.DELETED, table.delete_at <= now)
        held = due.order_by(table.delete_at).limit(CHUNK).with_for_update(skip_locked=True)
        return list(db.scalars(held))

    def _move(
        self, db: Session, ids: Sequence[str], source: UploadState | None = None, **values: Any
    ) -> int:
        change = update(self.table).where(self.table.id.in_(ids)).values(**values)
        if source is not None:
            change = change.where(self.table.state == source)
        result = db.execute(change.execution_options(synchronize_session=False))
        return int(getattr(result, "rowcount", 0))

    def _check_loose(self, database: Database, owner_id: str) -> None:
        loose = select(self.table.id).where(
            self.table.owner_id == owner_id,
            self.table.state.in_((UploadState.RECEIVING, UploadState.READY)),
        )
        with database.reading() as db:
            if len(db.scalars(loose.limit(LOOSE_AT_MOST)).all()) >= LOOSE_AT_MOST:
                raise TooManyFiles

    def _cleaned(self, data: bytes, kind: FileKind) -> Content:
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise UploadsBusy(retry_after=WAIT_SECONDS)
        try:
            content = clean(data, kind.types)
        except Refusal as refusal:
            log.info("file refused", kind=kind.code, code=refusal.code, size=len(data))
            raise
        finally:
            self._free.release()
        return content

    def _place(self, row: Row) -> str:
        """What a sealed object is bound to: it opens as no other file, of no other owner."""
        return f"{self._service}/upload/{row.id}/{row.owner_id}/{row.sha256}"
