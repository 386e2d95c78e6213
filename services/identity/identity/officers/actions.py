"""Appoint officers; the first admin comes from the command line, all others from an admin."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

import pyotp
from sqlalchemy.orm import Session

from identity.accounts import actions as accounts
from identity.accounts.model import Account
from identity.accounts.rules import Kind
from identity.hashing import Hasher
from identity.officers import rules
from identity.officers.model import Officer
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
    uri = pyotp.TOTP(secret).provisioning_uri(
        name=appointment.login_name, issuer_name=rules.ISSUER_NAME
    )
    return officer, Credentials(chosen, secret, uri)


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
