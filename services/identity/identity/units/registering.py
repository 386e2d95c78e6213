"""Register a unit: the agent first, then the unit's data, under one ticket (ID-20)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from identity import password_policy
from identity.accounts import actions as accounts
from identity.accounts import agreements
from identity.accounts.model import Account, LoginName
from identity.accounts.rules import Kind, LoginNameTaken, check_standing, login_key
from identity.devices import device_of
from identity.events import FACTS, UnitRegistered
from identity.hashing import Hasher
from identity.limits import Counts
from identity.matching import queries as matching
from identity.matching.actions import count_told
from identity.matching.rules import AgentNotMatched
from identity.messages import actions as messages
from identity.sms_codes import actions as sms_codes
from identity.sms_codes.rules import WRONG_CODE, Purpose
from identity.sms_codes.rules import Limits as SmsLimits
from identity.units import form_rules, queries, rules
from identity.units.model import Registration, Unit
from identity.units.rules import CertificateKind
from servicekit.clock import shanghai_date
from servicekit.db import new_id
from servicekit.errors import FieldError
from servicekit.outbox import Event, announce
from servicekit.personal import DocumentNumber, MobileNumber, PersonalText, PersonName
from servicekit.uniqueness import refusing_a_second

_NUMBER_TAKEN = FieldError(
    "/certificate_number", rules.UnitNumberTaken.code, rules.UnitNumberTaken.default_message
)
_LOGIN_TAKEN = FieldError("/login_name", LoginNameTaken.code, LoginNameTaken.default_message)


@dataclass(frozen=True, slots=True)
class Begun:
    """A registration that may go on to step 2, and the ticket that is kept nowhere else."""

    registration: Registration
    agent: Account
    ticket: str = field(repr=False)


def begin(
    db: Session,
    *,
    login_name: str,
    document_number: str,
    address: str,
    cookie: str | None = None,
    limits: rules.Limits,
    counts: Counts,
    now: datetime,
) -> Begun:
    """Step 1: whose verified personal account is it that registers the unit?

    Args:
        cookie: what the browser says of itself; one its owner has signed in from has an
            allowance of its own, so that a stranger uses up strangers' tries only (T8).

    Raises:
        TooManyTries: the address, or anybody with this login name, tried too often.
        AgentNotMatched: login name or number is wrong, never telling which.
        PersonRecordConflict: the person holds two accounts.
        AgentLevelTooLow: below 二级.
    """
    wait = counts.take(limits.of_address(), address, now=now)
    name = login_key(login_name)
    known = device_of(counts.vault, name, cookie)
    who = f"{name}:{known}" if known else name
    wait = wait or counts.take(limits.of_agent(), who, now=now)
    if wait is not None:
        raise rules.TooManyTries(retry_after=wait)
    found = matching.find_person(db, login_name=login_name, number=document_number)
    if found is None:
        raise AgentNotMatched
    rules.check_agent(level=found.account.level, accounts_of_person=found.accounts_of_person)
    ticket = rules.new_ticket()
    registration = Registration(
        id=new_id(),
        secret_hash=rules.hash_ticket(ticket),
        person_id=found.account.id,
        created_at=now,
        expires_at=now + rules.TICKET_LIFE,
    )
    db.add(registration)
    db.flush()
    return Begun(registration, found.account, ticket)


def is_in_use(
    db: Session,
    kind: CertificateKind,
    number: str,
    *,
    address: str,
    limits: rules.Limits,
    counts: Counts,
    now: datetime,
) -> bool:
    """Has a unit registered with this number (ID-22)? Told to everybody, within limits.

    Raises:
        TooManyChecks: the address or everybody together asked too often.
        BadIdentifier: it is no such number.
    """
    wait = counts.take(limits.of_check(), address, now=now)
    wait = wait or counts.take(limits.of_all_checks(), "everybody", now=now)
    if wait is not None:
        raise rules.TooManyChecks(retry_after=wait)
    return queries.is_taken(db, form_rules.check_number(kind, number))


def send_code(
    db: Session,
    registration: Registration,
    *,
    address: str,
    limits: SmsLimits,
    counts: Counts,
    now: datetime,
) -> None:
    """Send the code of step 2 to the agent's own verified phone.

    It is the agent who must be proved present: whoever types the form also types the
    representative's number, who is told by employer-auth and may object (EA-12).

    Raises:
        TooManyCodes: the phone or the address asked too often.
    """
    agent = accounts.find(db, registration.person_id)
    sms_codes.send(
        db,
        phone=agent.phone.expose(),
        purpose=Purpose.UNIT_REGISTRATION,
        address=address,
        limits=limits,
        counts=counts,
        now=now,
    )


def save_draft(registration: Registration, text: str) -> None:
    """Keep what was typed so far."""
    registration.draft = PersonalText(text)


def complete(
    db: Session,
    registration: Registration,
    form: form_rules.UnitForm,
    *,
    policy: password_policy.Policy,
    hasher: Hasher,
    counts: Counts,
    now: datetime,
) -> Unit:
    """Steps 2 and 3: open the unit's account; once done, the same ticket gives the same unit.

    Raises:
        UnitRefused: with every wrong field.
        UnitNumberTaken, LoginNameTaken: with both fields when both are taken.
        PersonRecordConflict, AgentLevelTooLow: the agent's account changed since step 1.
        ToldTooOften: the agent was told too often that something is taken.
    """
    if registration.unit_id is not None:
        return queries.find_unit(db, registration.unit_id)
    agent = accounts.find(db, registration.person_id)
    check_standing(agent.standing)
    phone = agent.phone.expose()
    code_id = sms_codes.check(
        counts, phone=phone, purpose=Purpose.UNIT_REGISTRATION, code=form.sms_code, now=now
    )
    number = form_rules.check_unit(
        form,
        policy,
        agreements=agreements.in_force(),
        today=shanghai_date(now),
        also=[] if code_id else [WRONG_CODE],
    )
    _check_agent(db, agent)
    _check_free(db, form.login_name, number, counts=counts, who=agent.id, now=now)
    if code_id is None or not sms_codes.use(db, code_id, now=now):
        raise rules.UnitRefused(fields=[WRONG_CODE])
    unit = open_unit(db, form, number, agent, password_hash=hasher.hash(form.password), now=now)
    registration.unit_id, registration.draft = unit.account_id, None
    registration.expires_at = now + rules.DONE_KEPT
    return unit


def forget_old(db: Session, *, now: datetime) -> None:
    """Delete tickets that have expired, with what was typed under them."""
    db.execute(delete(Registration).where(Registration.expires_at <= now))


def open_unit(
    db: Session,
    form: form_rules.UnitForm,
    number: str,
    agent: Account,
    *,
    password_hash: str,
    now: datetime,
) -> Unit:
    """Open the unit's account by a form that was checked, announce it and tell the agent.

    Args:
        number: the certificate number as it is stored.

    Raises:
        LoginNameTaken, UnitNumberTaken: the database decides.
    """
    account = accounts.open_account(
        db,
        kind=Kind.UNIT,
        login_name=form.login_name,
        password_hash=password_hash,
        phone=agent.phone.expose(),
        now=now,
    )
    account.certificate_type = form.certificate_type
    accounts.accept(db, account, now=now)
    unit = Unit(
        account=account,
        certificate_type=form.certificate_type,
        certificate_number=number,
        name=form.name,
        region=form.region,
        address=PersonalText(form.address),
        legal_name=PersonName(form.legal_name),
        legal_document_type=form.legal_document_type,
        legal_document_number=DocumentNumber(form.legal_document_number),
        legal_phone=MobileNumber(form.legal_phone),
        registered_by=agent.id,
        named_at=now,
    )
    _add(db, unit)
    announce(db, _registered(unit, now=now))
    messages.tell(
        db, agent.id, "unit-registered", {"unit": unit.name}, subject=unit.account_id, now=now
    )
    return unit


def _registered(unit: Unit, *, now: datetime) -> Event:
    return FACTS.of(
        UnitRegistered,
        subject=unit.account_id,
        now=now,
        unit_id=unit.account_id,
        person_id=unit.registered_by,
        certificate_type=unit.certificate_type,
        certificate_number=unit.certificate_number,
        name=unit.name,
        region=unit.region,
        level=unit.account.province_level,
    )


def _check_agent(db: Session, agent: Account) -> None:
    # Again, because hours may lie between the steps.
    person = agent.person
    holders = 0 if person is None else matching.count_holders(db, matching.index_of(person))
    rules.check_agent(level=agent.level, accounts_of_person=holders)


def _check_free(
    db: Session, login_name: str, number: str, *, counts: Counts, who: str, now: datetime
) -> None:
    # Asked beforehand only to name both fields at once; the indexes decide.
    wrong = []
    name = LoginName(login_key(login_name))
    if db.scalar(select(Account.id).where(Account.login_name_index == name)):
        wrong.append(_LOGIN_TAKEN)
    is_taken = queries.is_taken(db, number)
    if wrong or is_taken:
        count_told(counts, who, now=now)
    if is_taken:
        raise rules.UnitNumberTaken(fields=[*wrong, _NUMBER_TAKEN])
    if wrong:
        raise LoginNameTaken(fields=wrong)


def _add(db: Session, unit: Unit) -> None:
    taken = rules.UnitNumberTaken(fields=[_NUMBER_TAKEN])
    with refusing_a_second(db, lambda: taken, of="unit_certificate_once"):
        db.add(unit)
