"""What an agent does to get an authorisation code: open, hand in, submit, withdraw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from employer_auth.accounts.model import Unit
from employer_auth.authorisation_codes import handing_in, queries, rules
from employer_auth.authorisation_codes.handing_in import Form
from employer_auth.authorisation_codes.model import AuthorisationApplication, AuthorisationCase
from employer_auth.authorisation_codes.rules import Channel
from employer_auth.employers.rules import check_region
from employer_auth.files import Upload
from servicekit import reviewing
from servicekit.applications import Actor, advance, take_number
from servicekit.db import new_id
from servicekit.uniqueness import refusing_a_second
from servicekit.uploads import Uploads


def open_draft(
    db: Session,
    form: Form,
    *,
    uploads: Uploads[Upload],
    person_id: str,
    actor: Actor,
    now: datetime,
    channel: Channel = Channel.ONLINE,
) -> AuthorisationApplication:
    """申请单位授权码: for one or more units that have bound the agent (EA-07).

    Raises:
        NoUnits, NotBoundTo, CaseOpen, AlreadyAuthorised, CodeWaiting, UploadNotFound, Invalid
    """
    application = AuthorisationApplication(
        id=new_id(),
        applicant_id=person_id,
        filed_by=actor.person_id or actor.id,
        channel=channel,
        created_at=now,
        updated_at=now,
        cases=[],
    )
    _set_units(db, application, list(form.units), now=now)
    _write(db, application)
    handing_in.hand_in(
        db, application, form, uploads=uploads, owner_id=application.filed_by, now=now
    )
    return application


def save(
    db: Session,
    application_id: str,
    form: Form,
    *,
    uploads: Uploads[Upload],
    person_id: str,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> AuthorisationApplication:
    """Keep what is ticked and handed in so far, however incomplete (AL-01).

    Raises:
        ApplicationNotFound, WrongState, UnitsFixed, ChangedMeanwhile, and as ``open_draft``.
    """
    application = queries.find_own(db, application_id, person_id, seen=seen, hold=True)
    _check_move(application, "save", actor)
    if set(form.units) != {case.unit_id for case in application.cases}:
        if not all(rules.is_draft(case.state) for case in application.cases):
            raise rules.UnitsFixed
        _drop_units(db, application, form, uploads, now)
        _set_units(db, application, list(form.units), now=now)
        _write(db, application)
    handing_in.hand_in(db, application, form, uploads=uploads, owner_id=person_id, now=now)
    application.updated_at = now
    for case in application.cases:
        if rules.is_editable(case.state):
            case.updated_at = now
    db.flush()
    return application


def delete(
    db: Session,
    application_id: str,
    *,
    uploads: Uploads[Upload],
    person_id: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Throw a draft away, with its files.

    Raises:
        ApplicationNotFound, WrongState
    """
    application = queries.find_own(db, application_id, person_id, hold=True)
    _check_move(application, "delete", actor, every=True)
    for subject in (application.id, *(case.id for case in application.cases)):
        uploads.detach(db, subject, keep=(), now=now)
    db.delete(application)
    db.flush()


def submit(
    db: Session,
    application_id: str,
    *,
    uploads: Uploads[Upload],
    person_id: str,
    actor: Actor,
    now: datetime,
    review_days: int,
    note: str | None = None,
    seen: int | None = None,
) -> AuthorisationApplication:
    """Check everything and send each unit's part to its agency; so too after a return.

    Raises:
        Incomplete: every missing material of every unit, at once.
        ApplicationNotFound, WrongState, NotBoundTo, AlreadyAuthorised, UnitDataWrong
    """
    application = queries.find_own(db, application_id, person_id, seen=seen, hold=True)
    _check_move(application, "submit", actor)
    file(db, application, uploads=uploads, actor=actor, now=now, review_days=review_days, note=note)
    return application


def file(
    db: Session,
    application: AuthorisationApplication,
    *,
    uploads: Uploads[Upload],
    actor: Actor,
    now: datetime,
    review_days: int,
    note: str | None,
) -> None:
    """Send what can be sent of an application; everything is checked before anything moves."""
    cases = [case for case in application.cases if rules.is_editable(case.state)]
    units = queries.units(db, [case.unit_id for case in cases])
    _check_bound(db, application.applicant_id, units, now=now, cases=cases)
    handing_in.check_materials(db, application, cases, uploads)
    for unit in units.values():
        check_region(unit.region)
    if application.number is None:
        region = rules.common_region([unit.region for unit in units.values()])
        application.number = take_number(db, region=region, business=rules.BUSINESS_DIGITS, now=now)
        application.submitted_at = now
    application.updated_at = now
    for case in queries.in_order(cases):
        case.number = rules.case_number(application.number, case.position)
        case.region, case.accepted_by = units[case.unit_id].region, None
        reviewing.begin(case, days=review_days, now=now)
        advance(db, rules.WORKFLOW, case, "submit", actor=actor, now=now, note=note)


def withdraw(
    db: Session,
    application_id: str,
    *,
    uploads: Uploads[Upload],
    person_id: str,
    actor: Actor,
    now: datetime,
    keep_for: timedelta,
    note: str | None,
) -> AuthorisationApplication:
    """Take back what is not decided yet, of every unit.

    Raises:
        ApplicationNotFound, WrongState
    """
    application = queries.find_own(db, application_id, person_id, hold=True)
    _check_move(application, "withdraw", actor)
    for case in queries.in_order(application.cases):
        if rules.is_open(case.state):
            reviewing.close(case)
            advance(db, rules.WORKFLOW, case, "withdraw", actor=actor, now=now, note=note)
    handing_in.let_files_go(db, application, uploads, at=now + keep_for)
    return application


def _check_move(
    application: AuthorisationApplication, name: str, actor: Actor, *, every: bool = False
) -> None:
    """Refuse a move that no case of the application can make (or, ``every``, that one cannot)."""
    fits = [
        case
        for case in application.cases
        if name in rules.WORKFLOW.open_moves(case.state, actor.role)
    ]
    stuck = [case for case in application.cases if case not in fits]
    if stuck and (every or not fits):
        rules.WORKFLOW.next_state(name, stuck[0].state, actor.role)


def _set_units(
    db: Session, application: AuthorisationApplication, unit_ids: Sequence[str], *, now: datetime
) -> None:
    rules.check_units(unit_ids)
    units = queries.units(db, unit_ids)
    bindings = _check_bound(db, application.applicant_id, dict.fromkeys(unit_ids), now=now)
    known = {case.unit_id: case for case in application.cases}
    for position, unit_id in enumerate(unit_ids, 1):
        case = known.get(unit_id)
        if case is None:
            case = AuthorisationCase(
                id=new_id(),
                applicant_id=application.applicant_id,
                filed_by=application.filed_by,
                state=rules.WORKFLOW.start,
                unit_id=unit_id,
                binding_id=bindings[unit_id],
                region=units[unit_id].region,
                position=position,
                created_at=now,
                updated_at=now,
            )
            application.cases.append(case)
        case.position = position


def _drop_units(
    db: Session,
    application: AuthorisationApplication,
    form: Form,
    uploads: Uploads[Upload],
    now: datetime,
) -> None:
    for case in [case for case in application.cases if case.unit_id not in form.units]:
        uploads.detach(db, case.id, keep=(), now=now)
        application.cases.remove(case)


def _write(db: Session, application: AuthorisationApplication) -> None:
    with refusing_a_second(db, rules.CaseOpen):
        db.add(application)
    for case in application.cases:
        db.refresh(case, ["unit"])


def _check_bound(
    db: Session,
    person_id: str,
    units: Mapping[str, Unit | None],
    *,
    now: datetime,
    cases: Sequence[AuthorisationCase] = (),
) -> dict[str, str]:
    """The bindings by which the person acts for the units, none of them authorised yet."""
    bindings = queries.active_bindings(db, person_id, units)
    if missing := [unit_id for unit_id in units if unit_id not in bindings]:
        raise rules.NotBoundTo(extra={"units": missing})
    for unit_id, binding_id in bindings.items():
        if queries.live_authorisation(db, binding_id) is not None:
            raise rules.AlreadyAuthorised(extra={"units": [unit_id]})
        if queries.waiting_code(db, person_id, unit_id, now) is not None:
            raise rules.CodeWaiting(extra={"units": [unit_id]})
    for case in cases:  # a binding may have ended and come again since the draft
        case.binding_id = bindings[case.unit_id]
    return bindings
