"""Finding applications: one's own, and those of a list that somebody narrowed (AL-06)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from servicekit.applications import Actor, Application
from servicekit.clock import SHANGHAI
from servicekit.errors import ChangedMeanwhile
from servicekit.workflow import State

A = TypeVar("A", bound=Application)


@dataclass(frozen=True, slots=True)
class Filters:
    """查询条件; what is None does not narrow. Days are inclusive, in Asia/Shanghai."""

    number: str | None = None
    state: State | None = None
    applicant_id: str | None = None
    submitted_from: date | None = None
    submitted_to: date | None = None


def find_own(
    db: Session, model: type[A], application_id: str, actor: Actor, *, seen: int | None = None
) -> A | None:
    """The caller's own application; None when there is none, or it is somebody else's.

    Args:
        seen: the version the caller was looking at, when they said so.

    Raises:
        ChangedMeanwhile: it is not as they saw it.
    """
    found = db.get(model, application_id)
    if found is None or found.applicant_id != actor.id:
        return None
    if seen is not None and seen != found.version:
        raise ChangedMeanwhile
    return found


def own(model: type[A], actor: Actor, filters: Filters) -> Select[A]:
    """Everything the caller ever filed or drafted, narrowed."""
    return select(model).where(model.applicant_id == actor.id, *narrowed(model, filters))


def narrowed(model: type[Application], filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions that a form's filters mean."""
    equal: dict[Any, Any] = {
        model.number: filters.number,
        model.state: filters.state,
        model.applicant_id: filters.applicant_id,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if filters.submitted_from is not None:
        conditions.append(model.submitted_at >= _midnight(filters.submitted_from))
    if filters.submitted_to is not None and filters.submitted_to != date.max:  # no day after it
        conditions.append(model.submitted_at < _midnight(filters.submitted_to + timedelta(days=1)))
    return conditions


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, SHANGHAI)
