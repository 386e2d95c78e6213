"""Name and password, then for officers the code of their authenticator."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from identity.accounts.model import Account, LoginName
from identity.accounts.rules import Kind, Standing, check_standing, login_key
from identity.hashing import Hasher
from identity.limits import Counts
from identity.officers.model import Officer
from identity.pace import Limit
from identity.password_policy import Policy, check
from identity.sign_in import rules
from identity.sign_in.model import SecondStep
from identity.sign_in.rules import Stage
from servicekit.db import Database
from servicekit.errors import FieldError

TOTP_STEP_SECONDS = 30
_WINDOW = 1  # clocks of telephones are half a minute off


@dataclass(frozen=True, slots=True)
class Known:
    """What is needed to check a password, read before the slow part begins."""

    account_id: str
    password_hash: str
    standing: Standing


def check_password(
    database: Database,
    *,
    login_name: str,
    password: str,
    address: str,
    device: str | None,
    address_limit: Limit,
    counts: Counts,
    hasher: Hasher,
    now: datetime,
) -> str:
    """Whose name and password are these? No connection is held while the hash is computed.

    The answer and the time are the same for a name nobody has (ID-08).

    A device its owner has signed in from has a count of its own, so a stranger who fails on
    purpose slows down strangers, not the owner (T8).

    Returns: the account's id.

    Raises:
        SlowDown: the name or the address has failed too often.
        WrongCredentials: the name or the password, never telling which.
        AccountLocked: both are right, but the account is locked.
    """
    name = login_key(login_name)
    wait = counts.take((address_limit,), address, now=now)
    guesser = _guesser(counts, name, device)
    wait = wait or counts.attempt(rules.GUESSING, guesser, now=now)
    if wait is not None:
        raise rules.SlowDown(retry_after=wait)
    known = _find(database, name)
    if not hasher.verify(known.password_hash if known else None, password) or known is None:
        raise rules.WrongCredentials
    counts.succeeded(rules.GUESSING, guesser)
    check_standing(known.standing)
    return known.account_id


def device_mark(counts: Counts, account: Account) -> str:
    """A cookie value that says: somebody signed in to this account from here."""
    device = rules.new_secret()
    return f"{device}.{_mark(counts, login_key(account.login_name.expose()), device)}"


def next_stage(account: Account, done: Stage | None = None) -> Stage | None:
    """What is owed next; None when nothing is, and the session may begin."""
    if account.kind is Kind.OFFICER and done is None:
        return Stage.SECOND_FACTOR
    if account.must_change_password and done is not Stage.NEW_PASSWORD:
        return Stage.NEW_PASSWORD
    return None


def methods(account: Account) -> list[str]:
    """The ``amr`` of a login that came through every stage (RFC 8176)."""
    return ["pwd", "otp"] if account.kind is Kind.OFFICER else ["pwd"]


def begin_stage(db: Session, account: Account, stage: Stage, *, now: datetime) -> str:
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
            expires_at=now + rules.SECOND_STEP_LIFE,
            tries=0,
        )
    )
    return secret


def take_try(database: Database, secret: str, stage: Stage, *, now: datetime) -> str | None:
    """Use one of five tries; counted at once, so that guesses in parallel are five too.

    Returns: the account, or None when there is no such stage or its tries are used up.
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
        .returning(SecondStep.account_id)
        .execution_options(synchronize_session=False)
    )
    with database.transaction() as db:
        return db.execute(once).scalar_one_or_none()


def renew_hash(account: Account, password: str, *, hasher: Hasher) -> None:
    """Hash a right password anew when the costs have been raised since."""
    if hasher.is_outdated(account.password_hash):
        account.password_hash = hasher.hash(password)


def change_password(
    db: Session,
    account: Account,
    password: str,
    again: str,
    *,
    policy: Policy,
    hasher: Hasher,
    now: datetime,
) -> None:
    """Replace a one-time password by one of the owner's own.

    Raises:
        NewPasswordRefused: with everything that is wrong.
    """
    name = account.login_name.expose()
    wrong = check(policy, password, context=(name, account.phone.expose()))
    if password != again:
        wrong.append(FieldError("/password_again", "password-differs", "两次输入的密码不一致"))
    if hasher.verify(account.password_hash, password):
        wrong.append(FieldError("/password", "password-same", "新密码不能与原密码相同"))
    if wrong:
        raise rules.NewPasswordRefused(fields=wrong)
    account.password_hash = hasher.hash(password)
    account.password_changed_at = account.updated_at = now
    account.must_change_password = False


def check_totp(db: Session, account_id: str, code: str, *, now: datetime) -> bool:
    """Is it the authenticator's code, not seen before? A right one is used up (RFC 6238 5.2)."""
    officer = db.get(Officer, account_id)
    if officer is None:
        return False
    totp = pyotp.TOTP(officer.totp_secret.expose(), interval=TOTP_STEP_SECONDS)
    present = int(now.timestamp()) // TOTP_STEP_SECONDS
    for step in range(present - _WINDOW, present + _WINDOW + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), code.strip()):
            return _use_step(db, account_id, step)
    return False


def end_stage(db: Session, secret: str) -> None:
    """It is answered."""
    db.execute(delete(SecondStep).where(SecondStep.secret_hash == rules.hash_secret(secret)))


def _guesser(counts: Counts, name: str, device: str | None) -> str:
    known, _, mark = (device or "").partition(".")
    right = hmac.compare_digest(mark.encode(), _mark(counts, name, known).encode())
    return f"{name}:{known}" if known and right else name


def _mark(counts: Counts, name: str, device: str) -> str:
    return counts.vault.index(f"{name}:{device}", "sign_in.device").hex()


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
    columns = (Account.id, Account.password_hash, Account.standing)
    wanted = select(*columns).where(Account.login_name_index == LoginName(name))
    with database.reading() as db:
        row = db.execute(wanted).one_or_none()
    return None if row is None else Known(row.id, row.password_hash, row.standing)
