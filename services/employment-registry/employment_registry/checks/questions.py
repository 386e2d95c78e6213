"""Takes questions to registers, and writes down answers and failures (ER-09).

No transaction is open while a register is asked: one takes the question, the next writes down the
answer. ``attempts`` is counted when a question is taken, so the answer of a worker that was
thought dead finds another number and counts for nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from employment_registry.checks import queries, rules
from employment_registry.checks.actions import Checked
from employment_registry.checks.model import OutsideBreaker, OutsideCheck
from employment_registry.checks.rules import Finding, Progress, System
from employment_registry.events import FACTS, ITSELF, OutsideCheckFailed
from employment_registry.person_columns import PersonApplication
from employment_registry.policies import POLICIES
from employment_registry.policy_kinds import Patience
from servicekit import messages, reviewing
from servicekit.applications import advance
from servicekit.claims import Decision
from servicekit.clock import shanghai_date
from servicekit.outbox import announce
from servicekit.personal import DocumentNumber, PersonName

A = TypeVar("A", bound=PersonApplication)
Matters = Mapping[str, Checked[Any]]  # by business


@dataclass(frozen=True, slots=True)
class Task:
    """One question, taken; ``attempt`` is its number."""

    check_id: str
    application_id: str
    business: str
    system: System
    attempt: int
    name: PersonName
    document_number: DocumentNumber


@dataclass(frozen=True, slots=True)
class Answer:
    """What a register's answer showed, and what proves later that it gave it."""

    findings: Sequence[Finding]
    reference: str = field(repr=False)
    answer_hash: bytes = field(repr=False)


def claim(
    db: Session,
    matters: Matters,
    system: System,
    *,
    now: datetime,
    most: int,
) -> list[Task]:
    """Take questions that are due; two workers never take the same one.

    One that was being asked when its worker died is taken again after the lease. A system that
    is left alone is asked nothing; when that is over one question tries for all.
    """
    breaker = queries.find_breaker(db, system)
    if breaker is not None and breaker.failures >= rules.BREAKS_AFTER:
        if breaker.open_until is not None and breaker.open_until > now:
            return []
        most = 1
    due = (
        select(OutsideCheck)
        .where(OutsideCheck.system == system, OutsideCheck.progress.in_(rules.UNFINISHED))
        .where(OutsideCheck.next_attempt_at <= now)
        .order_by(OutsideCheck.next_attempt_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    tasks = []
    for check in db.scalars(due).all():
        application = db.get(matters[check.business].model, check.application_id)
        if application is None or not rules.is_checking(application.state):
            db.delete(check)  # withdrawn meanwhile: nobody's business any more
            continue
        check.progress, check.attempts = Progress.ASKING, check.attempts + 1
        check.next_attempt_at = now + rules.LEASE
        person = application.person_name, application.document_number
        of = check.id, check.application_id, check.business, system, check.attempts
        tasks.append(Task(*of, *person))
    return tasks


def answered(
    db: Session,
    matters: Matters,
    task: Task,
    answer: Answer,
    *,
    now: datetime,
) -> None:
    """Write down what was found; when it was the last answer, the application goes on or back."""
    matter = matters[task.business]
    application = _hold(db, matter, task.application_id)
    values = {
        "progress": Progress.ANSWERED,
        "answered_at": now,
        "findings": [finding.as_json() for finding in answer.findings],
        "reference": answer.reference,
        "answer_hash": answer.answer_hash,
    }
    _note_success(db, task.system)
    if application is None or not _write(db, task, values):
        return  # another worker was faster, or the person withdrew: this answer is late
    checks = queries.list_checks(db, application.id)
    if all(check.progress is Progress.ANSWERED for check in checks):
        found = [finding for check in checks for finding in check.found]
        _conclude(db, matter, application, found, now=now)


def failed(
    db: Session,
    matters: Matters,
    task: Task,
    *,
    now: datetime,
) -> None:
    """Ask again later, or tell the person when the retries are used up, by the day's policy."""
    matter = matters[task.business]
    application = _hold(db, matter, task.application_id)
    _note_failure(db, task.system, now)
    patience = POLICIES.in_force(db, Patience, shanghai_date(now))
    pause = patience.pause_after(task.attempt, random.random())
    if application is None:
        return  # withdrawn meanwhile
    if pause is not None:
        _write(db, task, {"progress": Progress.WAITING, "next_attempt_at": now + pause})
    elif _write(db, task, {"progress": Progress.FAILED}):
        _give_up(db, matter, application, now)


def give_up(db: Session, matters: Matters, late: OutsideCheck, *, now: datetime) -> None:
    """Tell somebody who has waited too long, however often was asked; nobody is told twice."""
    matter = matters[late.business]
    application = _hold(db, matter, late.application_id)
    waiting = (OutsideCheck.id == late.id, OutsideCheck.progress == Progress.WAITING)
    given_up = update(OutsideCheck).where(*waiting).values(progress=Progress.FAILED)
    changed = db.execute(given_up.returning(OutsideCheck.id)).first()
    if application is not None and changed is not None:
        _give_up(db, matter, application, now)


def _conclude(
    db: Session,
    matter: Checked[A],
    application: A,
    findings: Sequence[Finding],
    *,
    now: datetime,
) -> None:
    """The time limit begins now; or the person learns why it goes no further."""
    reason = rules.refusal(matter.asked, findings)
    if reason is None:
        matter.begin(db, application, now)
        advance(db, matter.workflow, application, "submit", actor=ITSELF, now=now)
        return
    reviewing.settle(application, Decision(reason))
    advance(db, matter.workflow, application, "refuse", actor=ITSELF, now=now, note=reason)


def _give_up(db: Session, matter: Checked[A], application: A, now: datetime) -> None:
    """Once per application: the person is told in identity's words (ER-09)."""
    others = queries.list_checks(db, application.id)
    if sum(check.progress is Progress.FAILED for check in others) > 1:
        return  # told when the first register failed
    said = messages.EXTERNAL_UNAVAILABLE.text
    advance(db, matter.workflow, application, "give-up", actor=ITSELF, now=now, note=said)
    announce(
        db,
        FACTS.of(
            OutsideCheckFailed,
            subject=application.id,
            now=now,
            applicant_id=application.applicant_id,
            application_id=application.id,
            business=matter.workflow.name,
            number=application.number,
        ),
    )


def _hold(db: Session, matter: Checked[A], application_id: str) -> A | None:
    """The application while it is being checked, held: the first lock of every answer."""
    wanted = select(matter.model).where(matter.model.id == application_id)
    held = wanted.with_for_update().execution_options(populate_existing=True)
    found = db.scalar(held)
    return found if found is not None and rules.is_checking(found.state) else None


def _write(db: Session, task: Task, values: Mapping[str, Any]) -> bool:
    """False when the question is not this worker's any more."""
    mine = (OutsideCheck.id == task.check_id, OutsideCheck.attempts == task.attempt)
    asking = OutsideCheck.progress == Progress.ASKING
    written = update(OutsideCheck).where(*mine, asking).values(values)
    return db.execute(written.returning(OutsideCheck.id)).first() is not None


def _note_success(db: Session, system: System) -> None:
    healed = update(OutsideBreaker).where(OutsideBreaker.system == system)
    db.execute(healed.where(OutsideBreaker.failures > 0).values(failures=0, open_until=None))


def _note_failure(db: Session, system: System, now: datetime) -> None:
    row = insert(OutsideBreaker).values(system=system, failures=1)
    more = row.on_conflict_do_update(
        index_elements=["system"], set_={"failures": OutsideBreaker.failures + 1}
    )
    failures = db.execute(more.returning(OutsideBreaker.failures)).scalar_one()
    until = rules.broken_until(failures, now)
    if until is not None:
        longer = func.greatest(OutsideBreaker.open_until, until)
        db.execute(
            update(OutsideBreaker).where(OutsideBreaker.system == system).values(open_until=longer)
        )
