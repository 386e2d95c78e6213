"""Appoint officers; the first admin comes from the command line, all others from an admin."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

import pyotp
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.accounts import actions as accounts
from identity.accounts.model import Account
from identity.accounts.rules import Kind
from identity.administration import actions as administration
from identity.administration.rules import check_other, check_reason
from identity.hashing import Hasher
from identity.officer_news import announce_officer
from identity.officers import queries, rules
from identity.officers.model import KnownBusiness, Officer
from identity.sign_in import sessions
from identity.sign_in.rules import EndReason
from servicekit.applications import Actor
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import check_mobile_number
from servicekit.personal import PersonalText, PersonName

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_SMALL = "abcdefghijkmnpqrstuvwxyz"
_DIGITS = "23456789"
_GROUPS = 4


@dataclass(frozen=True, slots=True)
class Credentials:
    """Shown once, to whoever appoints; kept only hashed and sealed."""

    password: str = field(repr=False)
    totp_secret: str = field(repr=False)
    totp_uri: str = field(repr=False)


def appoint(
    db: Session,
    appointment: rules.Appointment,
    *,
    by: str | None,
    hasher: Hasher,
    now: datetime,
    password: str | None = None,
) -> tuple[Officer, Credentials]:
    """Open an officer's account with a second factor from the start (ID-45).

    Args:
        by: the admin; None from the command line.
        password: a chosen one; otherwise one is made, to be changed by its owner.

    Raises:
        AppointmentRefused: with every wrong field.
        LoginNameTaken: somebody has the login name.
    """
    rules.check_appointment(appointment, phone_wrong=_check_phone(appointment.phone))
    chosen = password or make_password()
    account = accounts.open_account(
        db,
        kind=Kind.OFFICER,
        login_name=appointment.login_name,
        password_hash=hasher.hash(chosen),
        phone=appointment.phone,
        now=now,
    )
    account.must_change_password = password is None
    secret = pyotp.random_base32()
    officer = _officer(appointment, account, secret, by=by, now=now)
    db.add(officer)
    db.flush()
    announce_officer(db, officer.account_id, now=now)
    uri = pyotp.TOTP(secret).provisioning_uri(
        name=appointment.login_name, issuer_name=rules.ISSUER_NAME
    )
    return officer, Credentials(chosen, secret, uri)


def appoint_by(
    db: Session, appointment: rules.Appointment, *, by: Actor, hasher: Hasher, now: datetime
) -> tuple[Officer, Credentials]:
    """The same by an admin: in the admin's own region, to businesses there are.

    Raises:
        OutsideRegion, AppointmentRefused, LoginNameTaken.
    """
    rules.check_appointment(appointment, phone_wrong=_check_phone(appointment.phone))
    rules.check_keeps(by.region, appointment.region)
    rules.check_businesses(appointment.businesses, queries.known_businesses(db))
    return appoint(db, appointment, by=by.id, hasher=hasher, now=now)


def change_duties(
    db: Session,
    officer: Officer,
    *,
    region: str,
    businesses: list[str],
    roles: list[str],
    reason: str,
    by: Actor,
    now: datetime,
) -> Officer:
    """Give an officer another region, other businesses or roles; every session ends.

    A token says what its holder may do, so the old ones must not outlive the change.

    Raises:
        ReasonNeeded, OutsideRegion, AppointmentRefused, NotYours.
    """
    why = check_reason(reason)
    check_other(by.id, officer.account_id)
    wrong = rules.check_duties(region, businesses, roles)
    if wrong:
        raise rules.AppointmentRefused(fields=wrong)
    rules.check_keeps(by.region, region)
    rules.check_businesses(set(businesses) - set(officer.businesses), queries.known_businesses(db))
    officer.region, officer.businesses, officer.roles = region, businesses, roles
    sessions.end_all(db, officer.account_id, EndReason.DUTIES_CHANGED, now=now)
    standing = officer.account.standing
    administration.record(
        db, officer.account, "change-duties", before=standing, reason=why, by=by, now=now
    )
    announce_officer(db, officer.account_id, now=now)
    return officer


def keep_business(db: Session, *, code: str, title: str, retired: bool, now: datetime) -> None:
    """A service said that it offers a business, or offers it no more."""
    values = {"title": title, "retired": retired, "heard_at": now}
    row = insert(KnownBusiness).values(code=code, **values)
    db.execute(row.on_conflict_do_update(index_elements=[KnownBusiness.code], set_=values))


def make_password() -> str:
    """Sixteen characters of three kinds, without look-alikes and without runs."""
    groups = (_LETTERS, _SMALL, _DIGITS, _SMALL)
    return "".join(secrets.choice(group) for _ in range(_GROUPS) for group in groups)


def _officer(
    appointment: rules.Appointment, account: Account, secret: str, *, by: str | None, now: datetime
) -> Officer:
    return Officer(
        account=account,
        name=PersonName(appointment.name),
        region=appointment.region,
        businesses=list(appointment.businesses),
        roles=list(appointment.roles),
        totp_secret=PersonalText(secret),
        totp_step=0,
        created_by=by,
        created_at=now,
    )


def _check_phone(phone: str) -> list[FieldError]:
    try:
        check_mobile_number(phone)
    except Refusal as refusal:
        return [FieldError("/phone", refusal.code, refusal.message)]
    return []
