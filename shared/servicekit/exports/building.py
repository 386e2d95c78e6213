"""Makes the files of exports, under a lease, from what the officer may see on that day.

While rows stream from one cursor the lease is renewed beside it; a worker that dies leaves a lease
that runs out, and another one begins anew under the next ``attempt``, which fences off the first.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.orm import Session

from servicekit import logs
from servicekit.applications import Actor
from servicekit.clock import Clock
from servicekit.db import Database
from servicekit.exports import rules, sheets, wishes
from servicekit.exports.desk import Exports
from servicekit.exports.files import pieces
from servicekit.exports.rules import ExportState, Failure
from servicekit.exports.sheets import Watermark
from servicekit.exports.table import ExportColumns
from servicekit.queues import order_of
from servicekit.teamwork import roster
from servicekit.workflow import Role

log = logs.get_logger()

FETCHED: Final = 500  # rows at a time from the cursor


class Abandoned(Exception):
    """The worker is to stop, or another one has taken the export over."""


class TooManyRows(Exception):
    """More than ``rules.MOST_ROWS``."""


@dataclass(frozen=True, slots=True)
class Builder:
    """One worker's hand at the exports of its service.

    Args:
        stop: set when the worker is to end; what it was making is begun anew by the next.
        most: rows of one file.
    """

    exports: Exports[Any]
    database: Database
    clock: Clock
    stop: threading.Event
    most: int = rules.MOST_ROWS

    def work_off(self) -> None:
        """Make everything that waits, one after the other.

        Raises:
            StorageUnavailable: and what else may happen; the lease runs out, and it is tried again.
        """
        while not self.stop.is_set():
            with self.database.transaction() as db:
                row = self._take(db)
            if row is None:
                return
            if row.state is ExportState.RUNNING:
                self._make(row)

    def _take(self, db: Session) -> ExportColumns | None:
        """The next one, leased; or one that has been tried too often, given up."""
        table, now = self.exports.table, self.clock.now()
        left = and_(table.state == ExportState.RUNNING, table.leased_until <= now)
        wanted = select(table).where(or_(table.state == ExportState.WAITING, left))
        held = wanted.order_by(table.requested_at, table.id).limit(1)
        row: ExportColumns | None = db.scalar(held.with_for_update(skip_locked=True))
        if row is None:
            return None
        if row.attempt >= rules.MOST_ATTEMPTS:
            row.state, row.failure, row.finished_at = ExportState.FAILED, Failure.BROKEN, now
            row.leased_until = None
            self.exports.tell(db, row, row.state, now)
        else:
            row.state, row.attempt = ExportState.RUNNING, row.attempt + 1
            row.leased_until = now + rules.LEASE
        return row

    def _make(self, row: ExportColumns) -> None:
        self.exports.files.delete(row, through=row.attempt - 1)
        try:
            region = self._region_now(row)
            if region is None:
                self._end(row, failure=Failure.WITHDRAWN)
                return
            with TemporaryDirectory(prefix="export-") as folder:
                path = Path(folder) / "export.xlsx"
                count = self._write(row, region, path)
                self._store(row, path, count)
        except TooManyRows:
            self._end(row, failure=Failure.TOO_MANY)
        except Abandoned:
            log.info("export left to another worker", export=row.id, attempt=row.attempt)

    def _region_now(self, row: ExportColumns) -> str | None:
        with self.database.reading() as db:
            known = roster.find(db, [row.requested_by])
        return rules.region_now(row.region, known[0] if known else None, row.business)

    def _write(self, row: ExportColumns, region: str, path: Path) -> int:
        now, filters = self.clock.now(), wishes.read(row.filters)
        mark = Watermark(
            export_id=row.id,
            officer_id=row.requested_by,
            region=wishes.place(region),
            purpose=row.purpose,
            filters=wishes.described(filters),
            requested_at=row.requested_at,
            built_at=now,
        )
        sheet = self.exports.matters[row.business].sheet
        with closing(self._rows(row, self._wanted(row, region, now))) as rows:
            return sheets.write(path, sheet, mark, rows)

    def _wanted(self, row: ExportColumns, region: str, now: datetime) -> Select[Any]:
        """The officer's own queue, in its order, without the columns nobody asked for."""
        matter, filters = self.exports.matters[row.business], wishes.read(row.filters)
        officer = Actor(
            id=row.requested_by,
            role=Role.REVIEWER,
            kind="officer",
            region=region,
            businesses=frozenset({row.business}),
        )
        order, descending = order_of(matter.reviews.model, filters.order)
        return (
            matter.reviews.queue(officer, filters, now)
            .with_only_columns(*(column.source for column in matter.sheet.columns))
            .order_by(*(each.desc() if descending else each.asc() for each in order))
            .limit(self.most + 1)
        )

    def _rows(self, row: ExportColumns, wanted: Select[Any]) -> Generator[Any, None, None]:
        """The rows as a cursor gives them; its transaction is over with the last one.

        Raises:
            TooManyRows, Abandoned
        """
        renewed = self.clock.now()
        streaming = wanted.execution_options(yield_per=FETCHED)
        # A cursor lives in a transaction; nothing is written in this one.
        with self.database.transaction() as db, db.execute(streaming) as found:
            for count, each in enumerate(found):
                if count == self.most:
                    raise TooManyRows
                if count % FETCHED == 0:
                    renewed = self._go_on(row, renewed)
                yield each

    def _go_on(self, row: ExportColumns, renewed: datetime) -> datetime:
        """Say now and then that the worker lives; give the export back when it is to end."""
        now = self.clock.now()
        if self.stop.is_set():
            waiting: dict[str, Any] = {"state": ExportState.WAITING, "leased_until": None}
            self._change(row, attempt=row.attempt - 1, **waiting)
            raise Abandoned
        if now - renewed < rules.LEASE / 5:
            return renewed
        self._change(row, leased_until=now + rules.LEASE)
        return now

    def _store(self, row: ExportColumns, path: Path, count: int) -> None:
        size = path.stat().st_size
        row.parts = max(row.parts, pieces(size))  # what an attempt before wrote is not forgotten
        self._change(row, parts=row.parts, leased_until=self.clock.now() + rules.LEASE)
        digest = self.exports.files.put(row, path)
        self._end(row, rows=count, size=size, sha256=digest)

    def _end(self, row: ExportColumns, *, failure: Failure | None = None, **told: Any) -> None:
        now = self.clock.now()
        ended: dict[str, Any] = {"state": ExportState.READY, "expires_at": now + rules.KEPT}
        if failure is not None:
            ended = {"state": ExportState.FAILED, "failure": failure}
        self._change(row, now, **ended, finished_at=now, leased_until=None, **told)
        log.info("export ended", export=row.id, state=ended["state"].value, rows=told.get("rows"))

    def _change(self, row: ExportColumns, ended: datetime | None = None, **values: Any) -> None:
        """Write it as the worker that holds it.

        Args:
            ended: when it did, where it did; the officer is told.

        Raises:
            Abandoned: another one does.
        """
        table = self.exports.table
        mine = and_(
            table.id == row.id, table.attempt == row.attempt, table.state == ExportState.RUNNING
        )
        change = update(table).where(mine).values(**values)
        with self.database.transaction() as db:
            result = db.execute(change.execution_options(synchronize_session=False))
            if not getattr(result, "rowcount", 0):
                raise Abandoned
            if ended is not None:
                self.exports.tell(db, row, values["state"], ended)
