"""Draft a policy, try it on what is open and in force, activate it by four eyes, take it back."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, text
from sqlalchemy.orm import Session

from employment_registry.places import check_province
from employment_registry.policies import POLICIES, Policy
from employment_registry.policy_changes import queries, rules
from employment_registry.policy_changes.model import PolicyTrial, PolicyTrialLine
from employment_registry.policy_kinds import KINDS
from servicekit.applications import Actor, record
from servicekit.db import new_id
from servicekit.policy_rules import Draft
from servicekit.uniqueness import refusing_a_second

CHANNEL: Final = "policy_trial"
BATCH: Final = 500


def draft(db: Session, wanted: Draft, *, actor: Actor, now: datetime) -> Policy:
    """Write down a change; see ``Policies.draft``.

    Raises:
        ProvinceOnly, PolicyInThePast, SameFirstDay
    """
    check_province(actor.region)
    return POLICIES.draft(db, wanted, actor=actor, now=now)


def begin_trial(db: Session, policy_id: str, *, actor: Actor, now: datetime) -> PolicyTrial:
    """Let the events worker find out whom a draft would touch; what it found before is forgotten.

    Raises:
        ProvinceOnly, PolicyNotFound, NotDraft, TrialRunning
    """
    check_province(actor.region)
    policy = POLICIES.hold(db, policy_id)
    rules.check_may_try(policy.status)
    finished = PolicyTrial.finished_at.is_not(None)
    db.execute(delete(PolicyTrial).where(PolicyTrial.policy_id == policy.id, finished))
    trial = PolicyTrial(
        policy_id=policy.id,
        asked_by=actor.id,
        asked_at=now,
        source=0,
        after="",
        looked_at=0,
        unseen_touched=0,
    )
    with refusing_a_second(db, rules.TrialRunning):
        db.add(trial)
    kept = policy.status  # a trial run again leaves nothing of the one before but this
    record(db, POLICIES.name, policy.id, "try", before=kept, after=kept, actor=actor, now=now)
    db.execute(text(f"SELECT pg_notify('{CHANNEL}', '')"))
    return trial


def go_on(db: Session, *, now: datetime) -> bool:
    """Look at the next cases of a trial that waits; False when none does.

    One short transaction: a worker that dies goes on where it was.
    """
    trial = queries.hold_waiting_trial(db)
    if trial is None:
        return False
    policy = queries.find(db, trial.policy_id)
    sources = queries.SOURCES[policy.kind]
    matter, record = sources[trial.source]
    found = queries.cases(db, matter, record, trial.after, BATCH, kind=policy.kind)
    _note(db, policy, trial, found)
    if len(found) < BATCH:
        trial.source, trial.after = trial.source + 1, ""
        trial.finished_at = now if trial.source == len(sources) else None
    else:
        trial.after = found[-1].account
    return True


def activate(db: Session, policy_id: str, *, actor: Actor, now: datetime) -> Policy:
    """Let a tried draft hold from its first day on, as another admin (four eyes).

    Raises:
        ProvinceOnly, PolicyNotFound, WrongState, SameAdmin, PolicyInThePast, NotTried
        SameFirstDay: another one of its kind was faster.
    """
    check_province(actor.region)
    policy = POLICIES.hold(db, policy_id)
    trial = db.get(PolicyTrial, policy_id)
    if trial is None or trial.finished_at is None:
        raise rules.NotTried
    POLICIES.activate(db, policy, actor=actor, now=now)
    return policy


def withdraw(
    db: Session, policy_id: str, *, actor: Actor, now: datetime, note: str | None
) -> Policy:
    """Take back what does not hold yet.

    Raises:
        ProvinceOnly, PolicyNotFound, WrongState, PolicyInForce
    """
    check_province(actor.region)
    policy = POLICIES.hold(db, policy_id)
    POLICIES.withdraw(db, policy, actor=actor, now=now, note=note)
    return policy


def _note(db: Session, policy: Policy, trial: PolicyTrial, found: list[queries.Found]) -> None:
    """Write down who of them is touched; what no officer sees yet is only counted."""
    kind, day = KINDS[policy.kind], policy.in_force_from
    before, after = POLICIES.in_force(db, kind, day), kind.read(policy.value)
    lines = []
    for each in found:
        said = rules.effect(before, after, each.case, day)
        if said is not None and each.case.is_unseen:
            trial.unseen_touched += 1
        elif said is not None:
            lines.append(
                {
                    "id": new_id(),
                    "policy_id": policy.id,
                    "matter": each.case.matter,
                    "application_id": each.application_id,
                    "is_record": each.case.is_record,
                    "region": each.region,
                    "effect": said,
                }
            )
    trial.looked_at += len(found)
    if lines:
        db.execute(insert(PolicyTrialLine), lines)
