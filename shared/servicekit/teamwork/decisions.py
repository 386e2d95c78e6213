"""Every decision is counted when it is made: where, which, why, after how many working days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, false, func, insert, literal_column, select
from sqlalchemy.orm import Session

from servicekit import working_days
from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.columns import new_id
from servicekit.reviewing import Reviewed
from servicekit.teamwork.tables import DECISION

_TABLE = DECISION.c


@dataclass(frozen=True, slots=True)
class Months:
    """A span of whole months.

    Args:
        first: the first day of the first.
        last: the last day of the last.
    """

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often a decision was made for a reason; None is the officers' own words alone."""

    move: str
    code: str | None
    count: int


def record(
    db: Session,
    business: str,
    application: Reviewed,
    move: str,
    *,
    code: str | None,
    officer_id: str,
    now: datetime,
) -> None:
    """Count one decision, in its transaction and before the application changes.

    The working days are those since the last filing; the day of filing does not count.
    """
    today = shanghai_date(now)
    filed = shanghai_date(application.submitted_at or now)
    due = application.due_on
    row = {
        "id": new_id(),
        "business": business,
        "application_id": application.id,
        "region": application.region or "",
        "move": move,
        "reason_code": code,
        "officer_id": officer_id,
        "filed_on": filed,
        "decided_on": today,
        "working_days": working_days.working_days_until(filed, today),
        "was_overdue": due is not None and due < today,
    }
    db.execute(insert(DECISION).values(row))


def counted(
    business: str, actor: Actor, months: Months, *, by: ColumnElement[date] = _TABLE.decided_on
) -> list[ColumnElement[bool]]:
    """The decisions of a business in these months, in the officer's region and below.

    Args:
        by: the day that counts, when it was made or when what it is about was filed.
    """
    if not actor.region:
        return [false()]
    # The digits are written into the statement: it is one of a handful, and planned once.
    here = func.left(_TABLE.region, literal_column(str(len(actor.region)))) == actor.region
    return [
        _TABLE.business == business,
        by.between(months.first, months.last),
        here,
    ]


def count_reasons(
    db: Session, business: str, actor: Actor, months: Months
) -> Sequence[ReasonCount]:
    """Why applications were sent back and turned down, the most frequent reason first."""
    times = func.count().label("times")
    wanted = (
        select(_TABLE.move, _TABLE.reason_code, times)
        .where(*counted(business, actor, months), _TABLE.move != "approve")
        .group_by(_TABLE.move, _TABLE.reason_code)
        .order_by(_TABLE.move, times.desc(), _TABLE.reason_code)
    )
    return [ReasonCount(row.move, row.reason_code, row.times) for row in db.execute(wanted)]
