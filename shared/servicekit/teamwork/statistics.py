"""What was filed and decided per region and month (业务统计), in the officer's region and below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    String,
    cast,
    exists,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import Session

from servicekit import claims
from servicekit.applications import Actor
from servicekit.clock import SHANGHAI
from servicekit.reviewing import Reviewed, Reviews, visible
from servicekit.teamwork.decisions import Months, counted
from servicekit.teamwork.tables import DECISION
from servicekit.workflow import State

# The level below an office: a province counts its cities, a city its counties, and so on.
_BELOW: Final = {2: 4, 4: 6, 6: 9}
_DECIDED: Final = {"approve": "approved", "return": "returned", "reject": "rejected"}


@dataclass(slots=True)
class Line:
    """One region in one month.

    Args:
        month: ``2026-09``, in Asia/Shanghai.
        filed: every filing that came before an officer, by its day, where it was decided or waits.
        overdue: decisions made after the due date, of all three kinds.
        median_working_days: from the last filing to the final decision; None without one.
    """

    region: str
    month: str
    filed: int = 0
    approved: int = 0
    returned: int = 0
    rejected: int = 0
    overdue: int = 0
    median_working_days: float | None = field(default=None)


def digits_below(region: str) -> int:
    """How many digits of a region's code an office's statistics tell apart."""
    return _BELOW.get(len(region), max(len(region), 9))


def lines(db: Session, reviews: Reviews[Any], actor: Actor, months: Months) -> list[Line]:
    """One line per region and month in which something was filed or decided, in that order."""
    found: dict[tuple[str, str], Line] = {}
    for region, month, values in (
        *_filed(db, reviews, actor, months),
        *_decided(db, reviews.workflow.name, actor, months),
    ):
        line = found.setdefault((region, month), Line(region, month))
        for name, value in values.items():
            setattr(line, name, value)
    return [found[key] for key in sorted(found, key=lambda key: (key[1], key[0]))]


def _filed(
    db: Session, reviews: Reviews[Any], actor: Actor, months: Months
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What was decided, by the day it had been filed, what waits, and what was taken back."""
    model: type[Reviewed] = reviews.model
    business, table = reviews.workflow.name, DECISION.c
    filed_on = cast(func.timezone("Asia/Shanghai", model.submitted_at), Date)
    told = exists().where(table.application_id == model.id, table.filed_on == filed_on)
    open_ = [*claims.WAITING, State.WITHDRAWN]
    sources = (
        (table.region, table.filed_on, counted(business, actor, months, by=table.filed_on)),
        (
            model.region,
            filed_on,
            [
                *visible(model, actor, [state for state in reviews.filed if state in open_]),
                *_within(model.submitted_at, months),
                (model.state != State.WITHDRAWN) | ~told,
            ],
        ),
    )
    found: Counter[tuple[str, str]] = Counter()
    for region, day, conditions in sources:
        place, month = _prefix(region, actor), _month(day)
        wanted = select(place, month, func.count().label("filed")).where(*conditions)
        for row in db.execute(wanted.group_by(place, month)):
            found[row.place, row.month] += row.filed
    for (place, month), filed in found.items():
        yield place, month, {"filed": filed}


def _decided(
    db: Session, business: str, actor: Actor, months: Months
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    table = DECISION.c
    region = _prefix(table.region, actor)
    month = _month(table.decided_on)
    final = table.move.in_(("approve", "reject"))
    median = func.percentile_cont(0.5).within_group(table.working_days).filter(final)
    kinds = [func.count().filter(table.move == move).label(n) for move, n in _DECIDED.items()]
    overdue = func.count().filter(table.was_overdue).label("overdue")
    wanted = (
        select(region, month, *kinds, overdue, median.label("median_working_days"))
        .where(*counted(business, actor, months))
        .group_by(region, month)
    )
    names = (*_DECIDED.values(), "overdue", "median_working_days")
    for row in db.execute(wanted).mappings():
        yield row["place"], row["month"], {name: row[name] for name in names}


def _prefix(column: Any, actor: Actor) -> Any:
    digits: Any = literal_column(str(digits_below(actor.region or "")))
    return func.left(column, digits, type_=String).label("place")


def _month(day: Any) -> Any:
    return func.to_char(day, literal_column("'YYYY-MM'")).label("month")


def _within(moment: Any, months: Months) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    begins, ends = (
        datetime.combine(day, time.min, SHANGHAI)
        for day in (months.first, months.last + timedelta(days=1))
    )
    return moment >= begins, moment < ends
