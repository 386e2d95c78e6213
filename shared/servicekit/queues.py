"""What an officer narrows a queue by, in what order it stands, and how much of it waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from servicekit.applications import Actor
from servicekit.claims import WAITING, Due, due_ends
from servicekit.clock import shanghai_date
from servicekit.filing import Filters, narrowed

if TYPE_CHECKING:
    from servicekit.reviewing import Reviewed

SOON: Final = "soon"  # 即将到期: red or yellow


class Holder(StrEnum):
    """Who holds what is shown; a claim that ran out is nobody's."""

    ME = "me"
    OTHERS = "others"
    NOBODY = "nobody"


class Order(StrEnum):
    """Which application stands first."""

    DUE = "due"
    NEWEST = "newest"
    OLDEST = "oldest"


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
    if filters.region is not None:
        conditions.append(model.region.startswith(filters.region, autoescape=True))
    if filters.due is not None:
        conditions.append(_due(model, filters.due, now))
    if filters.held_by is not None:
        conditions.append(_held(model, filters.held_by, actor, now))
    if filters.officer_id is not None:
        conditions.append(and_(_claimed(model, now), model.claimed_by == filters.officer_id))
    return conditions


def order_of(model: type[Reviewed], order: Order) -> tuple[tuple[Any, ...], bool]:
    """Columns to page by, and whether downwards."""
    if order is Order.DUE:
        return (model.due_order, model.id), False
    return (model.created_at, model.id), order is Order.NEWEST


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
    spans = {
        Due.OVERDUE: model.due_on < today,
        Due.RED: model.due_on.between(today, red),
        Due.YELLOW: and_(model.due_on > red, model.due_on <= yellow),
        Due.GREEN: model.due_on > yellow,
        SOON: model.due_on.between(today, yellow),
    }
    return and_(model.state.in_(WAITING), spans[due])


def _claimed(model: type[Reviewed], now: datetime) -> ColumnElement[bool]:
    return and_(model.claimed_by.is_not(None), model.claimed_until > now)


def _held(
    model: type[Reviewed], holder: Holder, actor: Actor, now: datetime
) -> ColumnElement[bool]:
    if holder is Holder.NOBODY:
        return or_(model.claimed_by.is_(None), model.claimed_until <= now)
    own = model.claimed_by == actor.id
    return and_(_claimed(model, now), own if holder is Holder.ME else ~own)
