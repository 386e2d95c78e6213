"""Policies as admins see them, the cases a trial looks at, and what it found in a region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, false, func, select
from sqlalchemy.orm import Session

from employment_registry import possible_duplicates
from employment_registry.certificate.model import CertificateApplication
from employment_registry.checks.rules import OPEN
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from employment_registry.person_columns import PersonApplication
from employment_registry.policies import Policy
from employment_registry.policy_changes import rules
from employment_registry.policy_changes.model import PolicyTrial, PolicyTrialLine
from employment_registry.policy_changes.rules import Case
from employment_registry.unemployment.model import UnemploymentApplication, UnemploymentRecord
from servicekit.applications import Actor
from servicekit.policy_rules import PolicyNotFound, Status

MODELS: Final[Mapping[str, type[PersonApplication]]] = {
    "flexible_employment": FlexibleEmploymentApplication,
    "unemployment": UnemploymentApplication,
    "certificate": CertificateApplication,
}
# Read by account, in the order of the index that keeps "only one per account".
_APPLICATIONS: Final = tuple((matter, None) for matter in MODELS)
_RECORDS: Final = (
    ("flexible_employment", FlexibleEmploymentRecord),
    ("unemployment", UnemploymentRecord),
)
SOURCES: Final[Mapping[str, Sequence[tuple[str, Any]]]] = {
    "working-age": (*_APPLICATIONS[:2], *_RECORDS),
    "review-limit": _APPLICATIONS,
    "unemployment-look-back": (("unemployment", None),),
    "service-place-pause": (("unemployment", UnemploymentRecord),),
    "certificate": _APPLICATIONS,
    "ending-notice": _RECORDS,
    "check-patience": _APPLICATIONS,
    "shared-phone": _APPLICATIONS,
}


@dataclass(frozen=True, slots=True)
class Found:
    """A case, and where its line points."""

    case: Case
    account: str
    application_id: str
    region: str


def policies(kind: str | None) -> Select[Policy]:
    """Every policy, or those of a kind."""
    everything = select(Policy)
    return everything if kind is None else everything.where(Policy.kind == kind)


def find(db: Session, policy_id: str) -> Policy:
    """One policy.

    Raises:
        PolicyNotFound
    """
    found = db.get(Policy, policy_id)
    if found is None:
        raise PolicyNotFound
    return found


def shown(db: Session, found: Iterable[Policy], today: date) -> list[dict[str, Any]]:
    """Policies with what their place among the others makes of them."""
    active = select(Policy.kind, Policy.in_force_from).where(Policy.status == Status.ACTIVE)
    days = sorted((kind, day) for kind, day in db.execute(active))
    told = []
    for each in found:
        later = [day for kind, day in days if kind == each.kind and day > each.in_force_from]
        following = later[0] if later else None
        phase = rules.phase(each.status, each.in_force_from, following, today)
        title = rules.TITLES[each.kind]
        told.append(
            {
                **{column.key: getattr(each, column.key) for column in Policy.__table__.columns},
                "title": title,
                "phase": phase,
                "phase_label": phase.label,
                "followed_on": following if each.status is Status.ACTIVE else None,
            }
        )
    return told


def find_trial(db: Session, policy_id: str) -> PolicyTrial:
    """How far the trial of a policy is.

    Raises:
        PolicyNotFound, TrialNotFound
    """
    find(db, policy_id)
    found = db.get(PolicyTrial, policy_id)
    if found is None:
        raise rules.TrialNotFound
    return found


def hold_waiting_trial(db: Session) -> PolicyTrial | None:
    """A trial that is not finished and that nobody else works at."""
    waiting = select(PolicyTrial).where(PolicyTrial.finished_at.is_(None))
    return db.scalar(waiting.limit(1).with_for_update(skip_locked=True))


def lines(policy_id: str, actor: Actor, region: str | None) -> Select[PolicyTrialLine]:
    """Whom the change touches in the admin's region, and below the one asked for (AL-02)."""
    return select(PolicyTrialLine).where(*_visible(policy_id, actor, region))


def effects(db: Session, policy_id: str, actor: Actor, region: str | None) -> list[dict[str, Any]]:
    """How many it touches in which way, the most first."""
    line = PolicyTrialLine
    counted = select(line.matter, line.is_record, line.effect, func.count().label("count"))
    counted = counted.where(*_visible(policy_id, actor, region))
    counted = counted.group_by(line.matter, line.is_record, line.effect)
    rows = db.execute(counted.order_by(func.count().desc(), line.effect))
    return [dict(row._mapping) for row in rows]


def with_persons(db: Session, found: Sequence[PolicyTrialLine]) -> list[dict[str, Any]]:
    """Lines with the number and the masked name of their applications."""
    known: dict[str, Row[Any]] = {}
    for matter, model in MODELS.items():
        ids = [each.application_id for each in found if each.matter == matter]
        named = select(model.id, model.number, model.person_name).where(model.id.in_(ids))
        known |= {row.id: row for row in db.execute(named)} if ids else {}
    return [
        {
            "matter": each.matter,
            "is_record": each.is_record,
            "application_id": each.application_id,
            "number": row.number if (row := known.get(each.application_id)) else None,
            "name": row.person_name if row else None,
            "region": each.region,
            "effect": each.effect,
        }
        for each in found
    ]


def cases(
    db: Session, matter: str, record: Any, after: str, limit: int, *, kind: str
) -> list[Found]:
    """The next cases of a source, in the order of their accounts.

    Args:
        record: the matter's table of registrations; None for applications that are not decided.
        kind: of the policy that is tried; what one kind asks of a case costs no other anything.
    """
    model: Any = MODELS[matter]
    columns = [model.id, model.state, model.born_on, model.sex, model.days_left]
    if kind == "shared-phone":
        columns.append(possible_duplicates.phone_others(model).label("phone_others"))
    own = ("kind", "unemployed_on")
    columns += [getattr(model, name) for name in own if hasattr(model, name)]
    whose = model if record is None else record
    place = getattr(record, "service_place", model.region)
    columns += [whose.applicant_id.label("account"), place.label("place")]
    if hasattr(record, "service_place_changed_on"):
        columns.append(record.service_place_changed_on.label("changed_on"))
    if record is None:
        wanted = select(*columns).where(model.state.in_(OPEN))
    else:
        wanted = select(*columns).join(record, record.application_id == model.id)
        wanted = wanted.where(record.is_valid)
    wanted = wanted.where(whose.applicant_id > after).order_by(whose.applicant_id).limit(limit)
    return [_found(matter, record is not None, row._mapping) for row in db.execute(wanted)]


def _found(matter: str, is_record: bool, row: Mapping[Any, Any]) -> Found:
    kind = row.get("kind")
    case = Case(
        matter=matter,
        is_record=is_record,
        state=row["state"],
        born_on=row["born_on"].day,
        sex=row["sex"],
        kind=None if kind is None else kind.value,
        unemployed_on=row.get("unemployed_on"),
        changed_on=row.get("changed_on"),
        days_left=row["days_left"],
        phone_others=row.get("phone_others", 0),
    )
    return Found(case, row["account"], row["id"], row["place"] or "")


def _visible(policy_id: str, actor: Actor, region: str | None) -> list[ColumnElement[bool]]:
    if not actor.region:
        return [false()]
    line, prefixes = PolicyTrialLine, filter(None, (actor.region, region))
    within = [line.region.startswith(prefix, autoescape=True) for prefix in prefixes]
    return [line.policy_id == policy_id, *within]
