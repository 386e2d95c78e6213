"""Change a password, give one for one use, distrust one; other logins end with the old one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.hashing import Hasher
from identity.limits import Counts
from identity.messages import actions as messages
from identity.officers.actions import make_password
from identity.password_policy import Policy, check
from identity.passwords import rules
from identity.passwords.model import PasswordCondition
from identity.sign_in import sessions
from identity.sign_in.rules import EndReason
from servicekit.errors import FieldError


@dataclass(frozen=True, slots=True)
class Change:
    """What the owner typed: the present password, and twice the new one."""

    current: str = field(repr=False)
    password: str = field(repr=False)
    again: str = field(repr=False)


def change_own(
    db: Session,
    account: Account,
    change: Change,
    *,
    session_id: str | None,
    policy: Policy,
    hasher: Hasher,
    counts: Counts,
    now: datetime,
) -> None:
    """Replace the password by the present one; every other session ends (ID-10).

    Raises:
        ConfirmSlowDown: the present one was guessed at too often.
        PasswordRefused: with everything that is wrong.
    """
    confirm(account, change.current, hasher=hasher, counts=counts, now=now)
    replace(db, account, change.password, change.again, policy=policy, hasher=hasher, now=now)
    for session in sessions.list_alive(db, account.id, now=now):
        if session.id != session_id:
            sessions.end(db, session, EndReason.PASSWORD_CHANGED, now=now)
    messages.tell(db, account.id, "password-changed", {}, subject=None, now=now)


def confirm(
    account: Account, password: str, *, hasher: Hasher, counts: Counts, now: datetime
) -> None:
    """Is it really the owner who holds this session? Asked before anything that would last.

    Raises:
        ConfirmSlowDown: guessed at too often.
        PasswordRefused: it is another password.
    """
    wait = counts.attempt(rules.CONFIRMING, account.id, now=now)
    if wait is not None:
        raise rules.ConfirmSlowDown(retry_after=wait)
    if not hasher.verify(account.password_hash, password):
        raise rules.PasswordRefused(fields=[rules.WRONG])
    counts.succeeded(rules.CONFIRMING, account.id)


def replace(
    db: Session,
    account: Account,
    password: str,
    again: str,
    *,
    policy: Policy,
    hasher: Hasher,
    now: datetime,
) -> None:
    """Put a password of the owner's own in place of whatever was there.

    Raises:
        PasswordRefused: with everything that is wrong.
    """
    context = [account.login_name.expose(), account.phone.expose()]
    if account.person is not None:
        context.append(account.person.document_number.expose())
    wrong = check(policy, password, context=context)
    if password != again:
        wrong.append(FieldError("/password_again", "password-differs", "两次输入的密码不一致"))
    if hasher.verify(account.password_hash, password):
        wrong.append(FieldError("/password", "password-same", "新密码不能与原密码相同"))
    if wrong:
        raise rules.PasswordRefused(fields=wrong)
    account.password_hash = hasher.hash(password)
    account.password_changed_at = account.updated_at = now
    account.must_change_password = False
    condition = db.get(PasswordCondition, account.id)
    if condition is not None:
        db.delete(condition)


def give_one_time(db: Session, account: Account, *, hasher: Hasher, now: datetime) -> str:
    """Make a password for one login within a day, to be changed at once; every session ends.

    Returns: the password, for the SMS and nobody else.
    """
    password = make_password()
    account.password_hash = hasher.hash(password)
    account.password_changed_at = account.updated_at = now
    account.must_change_password = True
    condition = _condition(db, account)
    condition.expires_at, condition.distrusted_at = now + rules.ONE_TIME_LIFE, None
    sessions.end_all(db, account.id, EndReason.PASSWORD_CHANGED, now=now)
    return password


def distrust(db: Session, account: Account, *, now: datetime) -> None:
    """From now on the password alone opens nothing: a code sent to the phone is asked for too."""
    account.must_change_password = True
    account.updated_at = now
    _condition(db, account).distrusted_at = now


def condition_of(db: Session, account_id: str) -> rules.Condition:
    """What is the matter with the password."""
    row = db.get(PasswordCondition, account_id)
    if row is None:
        return rules.Condition()
    return rules.Condition(expires_at=row.expires_at, distrusted_at=row.distrusted_at)


def _condition(db: Session, account: Account) -> PasswordCondition:
    row = db.get(PasswordCondition, account.id)
    if row is None:
        row = PasswordCondition(account_id=account.id)
        db.add(row)
    return row
