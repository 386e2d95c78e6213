"""Name and password, and what is still owed after them or after any other way to sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from identity import devices
from identity.accounts.model import Account, LoginName
from identity.accounts.rules import Kind, Standing, check_standing, login_key, may_act
from identity.agreements import queries as agreements
from identity.hashing import Hasher
from identity.limits import Counts
from identity.login_history import actions as history
from identity.login_history.rules import AMR_OF, Outcome, Way, place_of
from identity.officers.model import Officer
from identity.pace import Limit, Pace
from identity.password_policy import Policy
from identity.passwords import actions as passwords
from identity.passwords.model import PasswordCondition
from identity.passwords.rules import Condition
from identity.second_factors import actions as second_factors
from identity.sign_in import rules
from identity.sign_in.model import SecondStep
from identity.sign_in.rules import Stage
from identity.sign_in.sessions import Device
from servicekit.db import Database
from servicekit.vault import Vault

TOTP_STEP_SECONDS = 30
_WINDOW = 1  # clocks of telephones are half a minute off


@dataclass(frozen=True, slots=True)
class Known:
    """What is needed to check a password, read before the slow part begins."""

    account_id: str
    password_hash: str
    standing: Standing
    condition: Condition


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody is on the way in, and by which way they came."""

    account_id: str
    way: Way


def check_password(
    database: Database,
    *,
    login_name: str,
    password: str,
    device: Device,
    mark: str | None,
    address_limit: Limit,
    counts: Counts,
    hasher: Hasher,
    now: datetime,
) -> str:
    """Whose name and password are these? No connection is held while the hash is computed.

    The answer and the time are the same for a name nobody has (ID-08).

    A device its owner has signed in from has a count of its own, and so has every neighbourhood
    of addresses: a stranger who fails on purpose slows down strangers, not the owner (T8).

    Args:
        mark: the cookie that says which accounts signed in from this browser before.

    Returns: the account's id.

    Raises:
        SlowDown: the name or the address has failed too often.
        WrongCredentials: the name or the password, never telling which.
        AccountLocked: both are right, but the account is locked.
    """
    name = login_key(login_name)
    lanes = _lanes(counts, name, mark, device.address)
    wait = counts.take((address_limit,), device.address, now=now)
    for pace, who in lanes:
        wait = wait or counts.attempt(pace, who, now=now)
    if wait is not None:
        raise rules.SlowDown(retry_after=wait)
    known = _find(database, name)
    right = hasher.verify(known.password_hash if known else None, password)
    if known is None or not right or known.condition.is_over(now=now):
        _failed(counts, known, Outcome.WRONG, device, now=now)
        raise rules.WrongCredentials
    counts.succeeded(*lanes[0])
    for pace, who in lanes[1:]:
        counts.forgive(pace, who, now=now)
    if not may_act(known.standing):
        _failed(counts, known, Outcome.LOCKED, device, now=now)
    check_standing(known.standing)
    return known.account_id


def next_stage(db: Session, account: Account, way: Way, done: Stage | None = None) -> Stage | None:
    """What is owed next; None when nothing is, and the session may begin."""
    owed = []
    if account.kind is Kind.OFFICER or _owes_second(db, account, way):
        owed.append(Stage.SECOND_FACTOR)
    if way is Way.PASSWORD and account.must_change_password:
        if passwords.condition_of(db, account.id).distrusted_at is not None:
            owed.append(Stage.PHONE_CODE)
        owed.append(Stage.NEW_PASSWORD)
    if agreements.list_owed(db, account):
        owed.append(Stage.AGREEMENTS)
    order = list(Stage)
    after = -1 if done is None else order.index(done)
    return next((stage for stage in owed if order.index(stage) > after), None)


def methods(db: Session, account: Account, way: Way) -> list[str]:
    """The ``amr`` of a login that came through every stage (RFC 8176)."""
    second = account.kind is Kind.OFFICER or _owes_second(db, account, way)
    return [*AMR_OF[way], *(["otp"] if second else [])]


def begin_stage(
    db: Session, account: Account, stage: Stage, *, way: Way = Way.PASSWORD, now: datetime
) -> str:
    """Remember for five minutes what was proved so far and what is owed.

    Returns: the secret for the cookie; a new one for every stage.
    """
    secret = rules.new_secret()
    db.execute(delete(SecondStep).where(SecondStep.expires_at <= now))
    db.add(
        SecondStep(
            secret_hash=rules.hash_secret(secret),
            account_id=account.id,
            stage=stage,
            way=way,
            expires_at=now + rules.SECOND_STEP_LIFE,
            tries=0,
        )
    )
    return secret


def take_try(database: Database, secret: str, stage: Stage, *, now: datetime) -> Step | None:
    """Use one of five tries; counted at once, so that guesses in parallel are five too.

    Returns: who is on the way in, or None when there is no such stage or its tries are used up.
    """
    once = (
        update(SecondStep)
        .where(
            SecondStep.secret_hash == rules.hash_secret(secret),
            SecondStep.stage == stage,
            SecondStep.expires_at > now,
            SecondStep.tries < rules.SECOND_STEP_TRIES,
        )
        .values(tries=SecondStep.tries + 1)
        .returning(SecondStep.account_id, SecondStep.way)
        .execution_options(synchronize_session=False)
    )
    with database.transaction() as db:
        row = db.execute(once).one_or_none()
    return None if row is None else Step(row.account_id, row.way)


def look(db: Session, secret: str, stage: Stage, *, now: datetime) -> Step | None:
    """Who is on the way in, without using a try."""
    row = db.get(SecondStep, rules.hash_secret(secret))
    if row is None or row.stage is not stage or row.expires_at <= now:
        return None
    return Step(row.account_id, row.way)


def renew_hash(
    account: Account, password: str, *, hasher: Hasher, policy: Policy, now: datetime
) -> None:
    """Look at a right password while it is at hand: hash it anew when the costs have been raised,
    have it changed when it is too old or has become a common one."""
    if policy.is_outworn(password, account.password_changed_at, now=now):
        account.must_change_password = True
    if hasher.is_outdated(account.password_hash):
        account.password_hash = hasher.hash(password)


def check_totp(db: Session, account_id: str, code: str, *, vault: Vault, now: datetime) -> bool:
    """Is it the authenticator's code, not seen before, or a person's recovery code? A right one
    is used up (RFC 6238 5.2)."""
    officer = db.get(Officer, account_id)
    if officer is None:
        return second_factors.check(db, account_id, code, vault=vault, now=now) is not None
    totp = pyotp.TOTP(officer.totp_secret.expose(), interval=TOTP_STEP_SECONDS)
    present = int(now.timestamp()) // TOTP_STEP_SECONDS
    for step in range(present - _WINDOW, present + _WINDOW + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), code.strip()):
            return _use_step(db, account_id, step)
    return False


def end_stage(db: Session, secret: str) -> None:
    """It is answered."""
    db.execute(delete(SecondStep).where(SecondStep.secret_hash == rules.hash_secret(secret)))


def _owes_second(db: Session, account: Account, way: Way) -> bool:
    # A passkey is two factors by itself: the key, and the finger or PIN that unlocks it.
    return way is not Way.PASSKEY and second_factors.is_on(db, account.id)


def _lanes(counts: Counts, name: str, mark: str | None, address: str) -> list[tuple[Pace, str]]:
    """The counts a try is written to: the device's own, or the place's and the strangers'."""
    device = devices.device_of(counts.vault, name, mark)
    if device is not None:
        return [(rules.GUESSING, f"{name}:{device}")]
    strangers = (rules.GUESSING_ANYWHERE, name)
    return [(rules.GUESSING, f"{name}@{place_of(address)}"), strangers]


def _failed(
    counts: Counts, known: Known | None, outcome: Outcome, device: Device, *, now: datetime
) -> None:
    account_id = known.account_id if known else None
    with counts.apart() as db:
        history.record_failure(
            db, account_id, way=Way.PASSWORD, outcome=outcome, device=device, now=now
        )


def _use_step(db: Session, account_id: str, step: int) -> bool:
    once = (
        update(Officer)
        .where(Officer.account_id == account_id, Officer.totp_step < step)
        .values(totp_step=step)
        .returning(Officer.account_id)
        .execution_options(synchronize_session=False)
    )
    return db.execute(once).one_or_none() is not None


def _find(database: Database, name: str) -> Known | None:
    columns = (
        Account.id,
        Account.password_hash,
        Account.standing,
        PasswordCondition.expires_at,
        PasswordCondition.distrusted_at,
    )
    wanted = select(*columns).where(Account.login_name_index == LoginName(name))
    with database.reading() as db:
        own = PasswordCondition.account_id == Account.id
        row = db.execute(wanted.outerjoin(PasswordCondition, own)).one_or_none()
    if row is None:
        return None
    condition = Condition(row.expires_at, row.distrusted_at)
    return Known(row.id, row.password_hash, row.standing, condition)
