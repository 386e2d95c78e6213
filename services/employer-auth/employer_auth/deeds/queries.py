"""Lists deeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, select

from employer_auth.deeds.model import Deed
from servicekit.applications import Actor
from servicekit.clock import SHANGHAI

NEWEST = (Deed.at, Deed.id)


@dataclass(frozen=True, slots=True)
class Filters:
    """查询条件; what is None does not narrow. Days are inclusive, in Asia/Shanghai."""

    person_id: str | None = None
    business: str | None = None
    done_from: date | None = None
    done_to: date | None = None


def of_unit(actor: Actor, filters: Filters) -> Select[Deed]:
    """Everything anybody did for the unit."""
    return select(Deed).where(Deed.unit_id == actor.id, *_narrowed(filters))


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.person_id is not None:
        conditions.append(Deed.person_id == filters.person_id)
    if filters.business is not None:
        conditions.append(Deed.business == filters.business)
    if filters.done_from is not None:
        conditions.append(Deed.at >= _midnight(filters.done_from))
    if filters.done_to is not None and filters.done_to != date.max:  # no day after it
        conditions.append(Deed.at < _midnight(filters.done_to + timedelta(days=1)))
    return conditions


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, SHANGHAI)
