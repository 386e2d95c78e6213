"""Which applications and cases an agent, an officer or a unit may see."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from employer_auth.accounts.model import Unit
from employer_auth.authorisation_codes import rules
from employer_auth.authorisation_codes.model import (
    Authorisation,
    AuthorisationApplication,
    AuthorisationCase,
    SecretCode,
)
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import BindingState
from servicekit import reviewing
from servicekit.applications import Actor
from servicekit.errors import ChangedMeanwhile
from servicekit.history import lane_of
from servicekit.queues import QueueFilters, narrowed_queue
from servicekit.workflow import State

NEWEST = (AuthorisationApplication.created_at, AuthorisationApplication.id)
NEWEST_CASE = (AuthorisationCase.created_at, AuthorisationCase.id)
NEWEST_AUTHORISATION = (Authorisation.authorised_at, Authorisation.id)


def find_own(
    db: Session, application_id: str, person_id: str, *, seen: int | None = None, hold: bool = False
) -> AuthorisationApplication:
    """The agent's own application.

    Args:
        hold: keep others from changing it until the transaction ends.

    Raises:
        ApplicationNotFound, ChangedMeanwhile
    """
    found = select(AuthorisationApplication).where(
        AuthorisationApplication.id == application_id,
        AuthorisationApplication.applicant_id == person_id,
    )
    application = db.scalar(found.with_for_update() if hold else found)
    if application is None:
        raise rules.ApplicationNotFound
    if seen is not None and seen != application.version:
        raise ChangedMeanwhile
    return application


def own_applications(person_id: str) -> Select[AuthorisationApplication]:
    """Everything the agent ever filed or drafted."""
    mine = AuthorisationApplication.applicant_id == person_id
    return select(AuthorisationApplication).where(mine)


def find_own_case(db: Session, case_id: str, person_id: str) -> AuthorisationCase:
    """One unit's part of an application of the agent's.

    Raises:
        ApplicationNotFound
    """
    case = db.scalar(
        select(AuthorisationCase).where(
            AuthorisationCase.id == case_id, AuthorisationCase.applicant_id == person_id
        )
    )
    if case is None:
        raise rules.ApplicationNotFound
    return case


def find_case(
    db: Session, case_id: str, actor: Actor, *, seen: int | None = None
) -> AuthorisationCase:
    """A case that was filed for a unit of the officer's region or below.

    Raises:
        ApplicationNotFound, ChangedMeanwhile
    """
    visible = reviewing.visible(AuthorisationCase, actor, rules.FILED)
    case = reviewing.find_for_officer(db, AuthorisationCase, case_id, *visible, seen=seen)
    if case is None:
        raise rules.ApplicationNotFound
    return case


def queue(actor: Actor, filters: QueueFilters, now: datetime) -> Select[AuthorisationCase]:
    """What was filed for the units of the officer's region and below."""
    visible = reviewing.visible(AuthorisationCase, actor, rules.FILED)
    unnumbered = replace(filters, number=None)
    narrowed = narrowed_queue(AuthorisationCase, unnumbered, actor, now)
    return select(AuthorisationCase).where(*visible, *narrowed, *_numbered(filters))


def find_code(db: Session, code: SecretCode, person_id: str) -> AuthorisationCase | None:
    """The case of a person's code, held: of many who enter it at once one goes on first."""
    found = select(AuthorisationCase).where(
        AuthorisationCase.code_hash == code, AuthorisationCase.applicant_id == person_id
    )
    return db.scalar(found.with_for_update(of=AuthorisationCase))


def active_bindings(db: Session, person_id: str, unit_ids: Iterable[str]) -> dict[str, str]:
    """The binding by which the person acts for each unit; a direct one before an agency's."""
    found = select(Binding.unit_id, Binding.id).where(
        Binding.person_id == person_id,
        Binding.unit_id.in_(list(unit_ids)),
        Binding.state == BindingState.ACTIVE,
    )
    rows = db.execute(found.order_by(Binding.via.desc().nulls_last(), Binding.created_at))
    return {row.unit_id: row.id for row in rows}  # the last one of a unit counts


def find_binding(db: Session, binding_id: str, actor: Actor) -> Binding | None:
    """An active binding of a unit in the officer's region."""
    if not actor.region:
        return None
    units = select(Unit.id).where(Unit.region.startswith(actor.region, autoescape=True))
    return db.scalar(
        select(Binding).where(
            Binding.id == binding_id,
            Binding.state == BindingState.ACTIVE,
            Binding.unit_id.in_(units),
        )
    )


def units(db: Session, unit_ids: Collection[str]) -> dict[str, Unit]:
    """The units of some ids."""
    return {unit.id: unit for unit in db.scalars(select(Unit).where(Unit.id.in_(unit_ids)))}


def live_authorisation(db: Session, binding_id: str) -> Authorisation | None:
    """What the person has proved about this binding, if it holds."""
    return db.scalar(
        select(Authorisation).where(
            Authorisation.binding_id == binding_id, Authorisation.revoked_at.is_(None)
        )
    )


def waiting_code(
    db: Session, person_id: str, unit_id: str, now: datetime
) -> AuthorisationCase | None:
    """A code of the unit that was sent and may still be entered."""
    return db.scalar(
        select(AuthorisationCase).where(
            AuthorisationCase.applicant_id == person_id,
            AuthorisationCase.unit_id == unit_id,
            AuthorisationCase.state == State.APPROVED,
            AuthorisationCase.redeemed_at.is_(None),
            AuthorisationCase.code_expires_at > now,
        )
    )


def cases_of_unit(unit_id: str) -> Select[AuthorisationCase]:
    """Everything that was ever filed for a code of the unit (EA-11); drafts are their agent's."""
    filed = AuthorisationCase.state.in_(rules.FILED)
    return select(AuthorisationCase).where(AuthorisationCase.unit_id == unit_id, filed)


def find_case_of_unit(db: Session, case_id: str, unit_id: str) -> AuthorisationCase:
    """One of those.

    Raises:
        ApplicationNotFound
    """
    found = db.scalar(cases_of_unit(unit_id).where(AuthorisationCase.id == case_id))
    if found is None:
        raise rules.ApplicationNotFound
    return found


def of_unit(unit_id: str) -> Select[Authorisation]:
    """Everybody who ever proved that they act for the unit (EA-11)."""
    return select(Authorisation).where(Authorisation.unit_id == unit_id)


def find_of_unit(db: Session, authorisation_id: str, unit_id: str) -> Authorisation:
    """One of the unit's.

    Raises:
        ApplicationNotFound
    """
    found = db.scalar(of_unit(unit_id).where(Authorisation.id == authorisation_id))
    if found is None:
        raise rules.ApplicationNotFound
    return found


def find_its_case(db: Session, authorisation: Authorisation) -> AuthorisationCase:
    """The case whose code was entered."""
    return db.get_one(AuthorisationCase, authorisation.case_id)


def find_of_case(db: Session, case_id: str) -> Authorisation | None:
    """What came of a case."""
    return db.scalar(select(Authorisation).where(Authorisation.case_id == case_id))


def forgotten(db: Session, before: datetime) -> list[str]:
    """Ids of applications with drafts or returned cases that nobody touched since a moment."""
    found = select(AuthorisationCase.application_id).where(
        AuthorisationCase.state.in_(rules.EDITABLE), AuthorisationCase.updated_at < before
    )
    return list(db.scalars(found.distinct().limit(500)))


def in_order(cases: Iterable[AuthorisationCase]) -> list[AuthorisationCase]:
    """The order in which several cases are moved at once, so that none waits for the other."""
    return sorted(cases, key=lambda case: (lane_of(case.id), case.id))


def _numbered(filters: QueueFilters) -> list[ColumnElement[bool]]:
    if filters.number is None:
        return []
    # The application's number finds every unit's part of it.
    part = AuthorisationCase.number.startswith(f"{filters.number}-", autoescape=True)
    return [or_(AuthorisationCase.number == filters.number, part)]
