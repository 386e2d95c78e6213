"""What every filed application shares on its owner's side: found, saved, thrown away, taken back.

A matter declares its ``Filings``; how a form is opened, and what a submission must say, is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from servicekit import history, rows
from servicekit.applications import Actor, Application, advance
from servicekit.clock import SHANGHAI
from servicekit.errors import ChangedMeanwhile, NotFound
from servicekit.workflow import Role, State, Workflow

A = TypeVar("A", bound=Application)


class Order(StrEnum):
    """Which application stands first."""

    DUE = "due"  # in an officer's queue
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class Filters:
    """查询条件; what is None does not narrow. Days are inclusive, in Asia/Shanghai."""

    number: str | None = None
    state: State | None = None
    applicant_id: str | None = None
    submitted_from: date | None = None
    submitted_to: date | None = None
    order: Order = Order.NEWEST


@dataclass(frozen=True, kw_only=True)
class Filings(Generic[A]):
    """The applications of one matter, as their owner handles them.

    Args:
        workflow: has the moves save, delete and withdraw.
        not_found: refused with, whether there is none or it is somebody else's.
        hold: takes the locks that a withdrawal needs, before anything changes.
        closed: what a withdrawal leaves behind, beside the state.
    """

    workflow: Workflow[Any]
    model: type[A]
    not_found: type[NotFound]
    hold: Callable[[Session, A], object] = lambda db, application: None
    closed: Callable[[A], None] = lambda application: None

    def find(self, db: Session, application_id: str, actor: Actor, seen: int | None = None) -> A:
        """The caller's own application.

        Raises:
            NotFound: the matter's own; there is none, or it is somebody else's (UNE-05).
            ChangedMeanwhile: it is not as they saw it.
        """
        found = find_own(db, self.model, application_id, actor, seen=seen)
        if found is None:
            raise self.not_found
        return found

    def save(
        self,
        db: Session,
        application_id: str,
        values: Mapping[str, Any],
        *,
        actor: Actor,
        now: datetime,
        seen: int | None = None,
    ) -> A:
        """Keep what is filled in so far, however incomplete; what is not given stays (AL-01)."""
        application = self.find(db, application_id, actor, seen)
        self.workflow.next_state("save", application.state, actor.role)
        for name, value in values.items():
            setattr(application, name, value)
        application.updated_at = now
        rows.store(db, application)
        return application

    def delete(
        self, db: Session, application_id: str, *, actor: Actor, seen: int | None = None
    ) -> None:
        """Throw a draft away; it was never filed, so nothing remains of it."""
        application = self.find(db, application_id, actor, seen)
        self.workflow.next_state("delete", application.state, actor.role)
        db.delete(application)
        db.flush()

    def withdraw(
        self, db: Session, application_id: str, *, actor: Actor, now: datetime, note: str | None
    ) -> A:
        """Take back what is not decided yet; it stays readable and may be copied."""
        application = self.find(db, application_id, actor)
        self.hold(db, application)
        self.closed(application)
        advance(db, self.workflow, application, "withdraw", actor=actor, now=now, note=note)
        return application


def find_own(
    db: Session, model: type[A], application_id: str, actor: Actor, *, seen: int | None = None
) -> A | None:
    """The caller's own application; None when there is none, or it is somebody else's.

    Args:
        seen: the version the caller was looking at, when they said so.

    Raises:
        ChangedMeanwhile: it is not as they saw it.
    """
    found = rows.get(db, model, application_id)
    if found is None or found.applicant_id != actor.id:
        return None
    if seen is not None and seen != found.version:
        raise ChangedMeanwhile
    return found


def progress(db: Session, application_id: str) -> list[history.Entry]:
    """办理进度: what happened to an application as its applicant is told it, oldest first.

    Every change of its state and what they did themselves; what officers say to each other about
    it (AL-10) stays with them. Whose it is must have been looked at before.
    """
    story = history.list_history(db, application_id)
    own = Role.APPLICANT.value
    return [entry for entry in story if entry.before != entry.after or entry.role == own]


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
