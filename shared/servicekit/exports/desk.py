"""Takes officers' wishes for exports, hands the files out, and deletes them when time is over.

A file goes through its states in this order, each written by a transaction of its own::

    waiting ──> running ──> ready ──> expired
       ^───────────┘└─────> failed

The row knows of every object before it is written, so that nothing lies anywhere that nobody
deletes; the row itself stays, as the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Select, and_, false, or_, select, text, update
from sqlalchemy.orm import Session

from servicekit import logs
from servicekit.access_records import record_look
from servicekit.applications import Actor
from servicekit.db import Database
from servicekit.exports import rules, wishes
from servicekit.exports.files import Files
from servicekit.exports.rules import ExportState
from servicekit.exports.sheets import Sheet
from servicekit.exports.table import ExportColumns
from servicekit.exports.wishes import Wish
from servicekit.teamwork.reviews import TeamReviews
from servicekit.uniqueness import refusing_a_second

log = logs.get_logger()

CHANNEL: Final = "review_exports"
CHUNK: Final = 100  # rows a sweep takes at a time

Row = TypeVar("Row", bound=ExportColumns)


@dataclass(frozen=True, kw_only=True)
class Exportable:
    """A queue that may be exported, and what of every line."""

    reviews: TeamReviews[Any]
    sheet: Sheet


class Exports(Generic[Row]):
    """The exports of one service.

    Args:
        table: the mapped class.
        matters: what may be exported; the teller of each tells the officer when it ended.
    """

    def __init__(self, table: type[Row], matters: Iterable[Exportable], files: Files) -> None:
        self.table = table
        self.matters = {each.reviews.workflow.name: each for each in matters}
        self.files = files

    def ask(self, db: Session, business: str, wish: Wish, *, actor: Actor, now: datetime) -> Row:
        """Let the worker make one.

        Raises:
            ExportUnderWay: another one of the officer's is not finished; the database says so.
        """
        make: Callable[..., Row] = self.table
        row = make(
            business=business,
            requested_by=actor.id,
            region=actor.region or "",
            purpose=wish.purpose,
            filters=wishes.written(wish.filters),
            state=ExportState.WAITING,
            requested_at=now,
        )
        with refusing_a_second(db, rules.ExportUnderWay):
            db.add(row)
        db.execute(text(f"SELECT pg_notify('{CHANNEL}', '')"))
        return row

    def own(self, business: str, actor: Actor) -> Select[Row]:
        """What the officer asked for of a business, as far as the region is still theirs."""
        if not actor.region:
            return select(self.table).where(false())
        table = self.table
        return select(table).where(
            table.requested_by == actor.id,
            table.business == business,
            table.region.startswith(actor.region, autoescape=True),
        )

    def find(self, db: Session, business: str, export_id: str, actor: Actor) -> Row:
        """One of those.

        Raises:
            ExportNotFound
        """
        found = db.scalar(self.own(business, actor).where(self.table.id == export_id))
        if found is None:
            raise rules.ExportNotFound
        return found

    def download(
        self, db: Session, business: str, export_id: str, *, actor: Actor, now: datetime
    ) -> tuple[Row, Iterator[bytes]]:
        """The file, piece by piece; the look is on record (AL-04).

        Raises:
            ExportNotFound, ExportNotReady, StorageUnavailable
        """
        row = self.find(db, business, export_id, actor)
        rules.check_ready(row.state, row.expires_at, now)
        record_look(
            db,
            column=f"{row.business}.export",
            record_id=row.id,
            owner_id=f"export:{row.id}",  # of many persons: the row says which
            actor=actor,
            reason=row.purpose,
            now=now,
        )
        rest = self.files.read(row)
        first = next(rest)  # what is not there is told before anything is answered
        return row, chain([first], rest)

    def tell(self, db: Session, row: ExportColumns, state: ExportState, now: datetime) -> None:
        """Whoever asked for it need not look again and again."""
        self.matters[row.business].reviews.teller.tell_of_export(
            db, row.requested_by, business=row.business, export_id=row.id, state=state, now=now
        )

    def sweep(self, database: Database, now: datetime) -> int:
        """Delete the files whose time is over, and what failed attempts left.

        Returns: how many exports have no file any more.
        """
        removed, last = 0, CHUNK
        while last == CHUNK:
            with database.transaction() as db:
                rows = self._due(db, now)
                for row in rows:
                    row.state = rules.swept(row.state)
            for row in rows:
                self.files.delete(row, through=row.attempt)
            with database.transaction() as db:
                gone = update(self.table).where(self.table.id.in_([row.id for row in rows]))
                db.execute(gone.values(deleted_at=now))
            last = len(rows)
            removed += last
        if removed:
            log.info("exports deleted", count=removed)
        return removed

    def _due(self, db: Session, now: datetime) -> list[Row]:
        table = self.table
        over = and_(table.state == ExportState.READY, table.expires_at <= now)
        ended = table.state.in_((ExportState.FAILED, ExportState.EXPIRED))
        due = select(table).where(table.deleted_at.is_(None), or_(over, ended))
        held = due.order_by(table.id).limit(CHUNK).with_for_update(skip_locked=True)
        return list(db.scalars(held))
