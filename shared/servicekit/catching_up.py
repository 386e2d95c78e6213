"""Catching up: what another service had told before this one began to hear it (decision 0016).

The bus keeps nothing for who comes later. So the other service lists its subjects as they are now,
each with the number of the newest event it told of it, both of one moment; whoever reads the list
takes the state over and goes on with the next number. What the bus brings of before is then a
repetition, what comes after is applied in its order, and it makes no difference which comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import DateTime, String, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from servicekit import logs
from servicekit.columns import EVENT_SEQUENCE, NOT_PERSONAL
from servicekit.errors import OutsideFailed
from servicekit.facts import reader
from servicekit.inbox import State, Subscriptions
from servicekit.jobs import JobContext
from servicekit.ordering import Key
from servicekit.outbox import FACT

if TYPE_CHECKING:
    from marshmallow import Schema
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute

PAGE: Final = 100  # subjects a question
AGAIN: Final = 5  # readings of one page while its subjects go on changing

Ask = Callable[[str, Mapping[str, str]], Any]
StateHandler = Callable[[Session, Any, datetime], None]

log = logs.get_logger()

_BEGUN: Final = text(
    "SELECT s.started_at, c.cursor, c.finished_at FROM subscription s LEFT JOIN catch_up c "
    "ON c.matter = :matter AND c.since = s.started_at WHERE s.binding = :binding"
)
_KEEP: Final = text(
    "INSERT INTO catch_up (matter, since, cursor, finished_at) "
    "VALUES (:matter, :since, :cursor, :finished_at) ON CONFLICT (matter) DO UPDATE SET "
    "since = excluded.since, cursor = excluded.cursor, finished_at = excluded.finished_at"
)


class CatchUpColumns:
    """How far the past of a matter has been read, since its binding exists."""

    matter: Mapped[str] = mapped_column(String(160), primary_key=True, info=NOT_PERSONAL)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    cursor: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where another service lists a matter's subjects, and what is done with each."""

    matter: str
    path: str
    read: Callable[[Mapping[str, Any]], Any]
    handler: StateHandler

    @property
    def binding(self) -> str:
        """The queue's binding that brings what comes after."""
        return f"{FACT}.{self.matter}.#"

    def key(self, subject: str) -> Key:
        """What a subject's events are counted in."""
        source, _, matter = self.matter.partition(".")
        return Key(source, matter, FACT, subject)


class Snapshots:
    """The pasts one service reads, in this order.

    Args:
        subscriptions: what the service hears; a past without a future is refused.
    """

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._snapshots: list[Snapshot] = []

    def of(
        self, matter: str, *, path: str, reads: type[Schema]
    ) -> Callable[[StateHandler], StateHandler]:
        """Declare what takes over one subject's state; said again it changes nothing.

        Args:
            matter: ``<service>.<matter>``, whose facts the service hears.
            path: where the list is; it answers ``items`` with ``subject``, ``sequence`` and
                ``state``, a hundred at most, and ``next``, the ``after`` of the next page.
            reads: the part of a state the handler needs.
        """

        def register(handler: StateHandler) -> StateHandler:
            made = Snapshot(matter, path, reader(reads), handler)
            if made.binding not in self._subscriptions.bindings:
                raise ValueError(f"{self._subscriptions.service} does not hear {matter}")
            self._snapshots.append(made)
            return handler

        return register

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self._snapshots)

    def catch_up(self, context: JobContext, ask: Ask) -> None:
        """Read every past that has not been read to its end; a job's work, repeated until done.

        Args:
            ask: gets a path with a query from the other service.
        """
        for snapshot in self._snapshots:
            try:
                self._read(snapshot, context, ask)
            except OutsideFailed:
                log.warning("the past cannot be read yet", matter=snapshot.matter)

    def _read(self, snapshot: Snapshot, context: JobContext, ask: Ask) -> None:
        with context.database.reading() as db:
            names = {"matter": snapshot.matter, "binding": snapshot.binding}
            begun = db.execute(_BEGUN, names).one_or_none()
        if begun is None or begun.finished_at is not None:
            return  # the queue is not bound yet, and would lose what comes; or all is done
        cursor, tries = begun.cursor, 0
        while not context.stop.is_set():
            query = {"limit": str(PAGE)} | ({"after": cursor} if cursor else {})
            page = ask(snapshot.path, query)
            now = context.clock.now()
            with context.database.transaction() as db:
                older = self._take_over(db, snapshot, page["items"], now)
                tries = tries + 1 if older else 0
                if not older:
                    cursor = page["next"]
                    row = {"matter": snapshot.matter, "since": begun.started_at, "cursor": cursor}
                    db.execute(_KEEP, row | {"finished_at": None if cursor else now})
            if tries == AGAIN:
                return  # the next run goes on here
            if not older and cursor is None:
                log.info("the past has been read", matter=snapshot.matter)
                return

    def _take_over(
        self, db: Session, snapshot: Snapshot, items: list[Mapping[str, Any]], now: datetime
    ) -> bool:
        """Is something of the page older than what has been heard meanwhile?"""
        states = [
            State(snapshot.key(item["subject"]), item["sequence"], snapshot.read(item["state"]))
            for item in items
        ]
        return self._subscriptions.take_over(db, states, snapshot.handler, now) > 0


def last_told(matter: str, subject: InstrumentedAttribute[str]) -> ColumnElement[int]:
    """The number of the newest fact of a subject, for whoever lists its state in the same query.

    Args:
        matter: ours, without the service's name.
        subject: the column with the subject.
    """
    counted = select(EVENT_SEQUENCE.c.last).where(
        EVENT_SEQUENCE.c.matter == matter,
        EVENT_SEQUENCE.c.stream == FACT,
        EVENT_SEQUENCE.c.subject == subject,
    )
    return func.coalesce(counted.scalar_subquery(), 0)
