"""What an officer narrows a queue by, in what order it stands, and how much of it waits.

A queue is read by index in every order, by every filter and for every level of office, so that
millions of decided applications behind it cost nothing (``queue_indexes``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Index, and_, func, literal_column, or_, select, text
from sqlalchemy.orm import Session

from servicekit.applications import Actor
from servicekit.claims import WAITING, Due, due_ends
from servicekit.clock import shanghai_date
from servicekit.filing import Filters, Order, narrowed

if TYPE_CHECKING:
    from servicekit.reviewing import Reviewed

SOON: Final = "soon"  # 即将到期: red or yellow
LAST_DAY: Final = date.max  # stands for the due date of what no officer need decide
LEVELS: Final = {2: "province", 4: "city", 6: "county"}  # by the digits of a region's code
_DUE: Final = ("due_order", "submitted_at", "id")
_FILED: Final = ("submitted_at", "id")


class Holder(StrEnum):
    """Who holds what is shown; a claim that ran out is nobody's."""

    ME = "me"
    OTHERS = "others"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class QueueFilters(Filters):
    """查询条件 of an officer; what is None does not narrow.

    Args:
        region: this region and below; outside of one's own nothing is found.
        due: a colour (``Due``), or ``soon`` for red and yellow together.
        held_by: whose claims, or those of one officer by ``officer_id``.
    """

    region: str | None = None
    due: str | None = None
    held_by: Holder | None = None
    officer_id: str | None = None
    order: Order = Order.DUE


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits in one business, for the officer's start page."""

    business: str
    waiting: int
    overdue: int
    red: int
    yellow: int
    green: int
    mine: int
    free: int


def narrowed_queue(
    model: type[Reviewed], filters: QueueFilters, actor: Actor, now: datetime
) -> list[ColumnElement[bool]]:
    """The conditions that an officer's filters mean at this moment."""
    conditions = narrowed(model, filters)
    if filters.state is not None and filters.state not in WAITING:
        conditions.append(model.due_order == LAST_DAY)  # as it is; PostgreSQL cannot know
    if filters.region is not None:
        conditions += within(model, filters.region)
    if filters.due is not None:
        conditions.append(_due(model, filters.due, now))
    if filters.held_by is not None:
        conditions.append(_held(model, filters.held_by, actor, now))
    if filters.officer_id is not None:
        conditions.append(and_(_claimed(model, now), model.claimed_by == filters.officer_id))
    return conditions


def within(model: type[Reviewed], region: str) -> list[ColumnElement[bool]]:
    """The conditions for a region and all below it, as the indexes answer them."""
    level = max((digits for digits in LEVELS if digits <= len(region)), default=0)
    digits = {level, len(region)} - {0}
    # The number is written into the statement, not bound: only so PostgreSQL knows its index again.
    return [func.left(model.region, literal_column(str(n))) == region[:n] for n in sorted(digits)]


def queue_indexes(table: str) -> tuple[Index, ...]:
    """What a queue of millions is read by: three orders for every level of office, and the claims.

    Each holds what is counted too, so that counting reads the index alone. Most of what was ever
    filed is approved; the other states are few, and found by an index of their own.
    """
    filed, rare = text("region IS NOT NULL"), text("region IS NOT NULL AND state <> 'approved'")
    held = text("claimed_by IS NOT NULL")
    found = [Index(f"{table}_held", "claimed_by", postgresql_where=held)]
    for digits, level in LEVELS.items():
        here = text(f'"left"(region, {digits})')
        beside: dict[str, Any] = {
            "postgresql_where": filed,
            "postgresql_include": ["state", "region"],
        }
        counted = ["region", "claimed_by", "claimed_until"]
        few: dict[str, Any] = {"postgresql_where": rare, "postgresql_include": counted}
        found += [
            Index(f"{table}_due_{level}", here, *_DUE, **beside),
            Index(f"{table}_filed_{level}", here, *_FILED, **beside),
            Index(f"{table}_state_{level}", here, "state", *_DUE, **few),
        ]
    return tuple(found)


def order_of(model: type[Reviewed], order: Order) -> tuple[tuple[Any, ...], bool]:
    """Columns to page by, and whether downwards."""
    names = _DUE if order is Order.DUE else _FILED
    return tuple(getattr(model, name) for name in names), order is Order.NEWEST


def count_waiting(
    db: Session,
    business: str,
    model: type[Reviewed],
    visible: Sequence[ColumnElement[bool]],
    actor: Actor,
    now: datetime,
) -> Counts:
    """What waits for a decision, by colour and by who holds it, in one statement.

    Args:
        visible: what of the table the officer may see.
    """
    wanted = {due.value: _due(model, due.value, now) for due in Due} | {
        "mine": _held(model, Holder.ME, actor, now),
        "free": _held(model, Holder.NOBODY, actor, now),
    }
    counted = [func.count().filter(condition).label(name) for name, condition in wanted.items()]
    waiting = select(func.count().label("waiting"), *counted)
    row = db.execute(waiting.where(model.state.in_(WAITING), *visible)).mappings().one()
    return Counts(business=business, **row)


def _due(model: type[Reviewed], due: str, now: datetime) -> ColumnElement[bool]:
    today = shanghai_date(now)
    red, yellow = due_ends(today)
    day = model.due_order
    spans = {
        Due.OVERDUE: day < today,
        Due.RED: day.between(today, red),
        Due.YELLOW: and_(day > red, day <= yellow),
        Due.GREEN: and_(day > yellow, day < LAST_DAY),
        SOON: day.between(today, yellow),
    }
    return spans[due]  # only what waits has another day than the last (``DUE_ORDER``)


def _claimed(model: type[Reviewed], now: datetime) -> ColumnElement[bool]:
    return and_(model.claimed_by.is_not(None), model.claimed_until > now)


def _held(
    model: type[Reviewed], holder: Holder, actor: Actor, now: datetime
) -> ColumnElement[bool]:
    if holder is Holder.NOBODY:
        return or_(model.claimed_by.is_(None), model.claimed_until <= now)
    own = model.claimed_by == actor.id
    return and_(_claimed(model, now), own if holder is Holder.ME else ~own)
