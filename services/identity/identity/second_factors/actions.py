"""Turn an authenticator on and off, check its codes, use a recovery code up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.messages import actions as messages
from identity.officers.rules import ISSUER_NAME
from identity.second_factors import rules
from identity.second_factors.model import Authenticator, RecoveryCode
from servicekit.personal import PersonalText
from servicekit.vault import Vault


@dataclass(frozen=True, slots=True)
class Setup:
    """What the owner's telephone has to learn; shown until a code of it was typed."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


def begin_totp(db: Session, account: Account, *, now: datetime) -> Setup:
    """A new secret, or the one that waits for its first code.

    Raises:
        FactorConflict: there is one already.
    """
    row = db.get(Authenticator, account.id)
    if row is not None and row.confirmed_at is not None:
        raise rules.FactorConflict("身份验证器已启用，请先停用再重新设置")
    if row is None:
        secret = PersonalText(pyotp.random_base32())
        row = Authenticator(account_id=account.id, secret=secret, step=0, created_at=now)
        db.add(row)
    secret_text = row.secret.expose()
    name = account.login_name.expose()
    uri = pyotp.TOTP(secret_text).provisioning_uri(name=name, issuer_name=ISSUER_NAME)
    return Setup(secret_text, uri)


def confirm_totp(
    db: Session, account: Account, code: str, *, vault: Vault, now: datetime
) -> list[str]:
    """Turn it on: the first code shows that the telephone learned it (ID-46).

    Returns: ten recovery codes, shown this once.

    Raises:
        FactorRefused: the code is wrong.
        FactorConflict: nothing waits for a code.
    """
    row = db.get(Authenticator, account.id, with_for_update=True)
    if row is None or row.confirmed_at is not None:
        raise rules.FactorConflict
    if not _use_totp(db, row, code, now=now):
        raise rules.FactorRefused(fields=[rules.WRONG_CODE])
    row.confirmed_at = now
    messages.tell(db, account.id, "second-factor-on", {}, subject=None, now=now)
    return new_recovery_codes(db, account, vault=vault, now=now)


def end_totp(db: Session, account: Account, *, now: datetime) -> None:
    """Turn it off, with its recovery codes.

    Raises:
        FactorConflict: it is off.
    """
    row = db.get(Authenticator, account.id)
    if row is None or row.confirmed_at is None:
        raise rules.FactorConflict
    db.delete(row)
    db.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    messages.tell(db, account.id, "second-factor-off", {}, subject=None, now=now)


def new_recovery_codes(db: Session, account: Account, *, vault: Vault, now: datetime) -> list[str]:
    """Ten new ones; those from before are worth nothing.

    Raises:
        FactorConflict: there is no authenticator they could stand in for.
    """
    if not is_on(db, account.id):
        raise rules.FactorConflict
    db.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    codes = []
    for _ in range(rules.RECOVERY_CODES):
        length = 2 * rules.RECOVERY_GROUP
        plain = "".join(secrets.choice(rules.RECOVERY_ALPHABET) for _ in range(length))
        code_hash = _hash(vault, account.id, plain)
        db.add(RecoveryCode(account_id=account.id, code_hash=code_hash, created_at=now))
        codes.append(rules.shown_recovery_code(plain))
    return codes


def is_on(db: Session, account_id: str) -> bool:
    """Is a second factor owed after this account's password?"""
    row = db.get(Authenticator, account_id)
    return row is not None and row.confirmed_at is not None


def count_recovery_codes(db: Session, account_id: str) -> int:
    """How many recovery codes are left."""
    left = select(func.count()).where(
        RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    )
    return db.scalar(left) or 0


def check(db: Session, account_id: str, code: str, *, vault: Vault, now: datetime) -> str | None:
    """The authenticator's code or a recovery code; a right one is used up.

    Returns: its ``amr`` (RFC 8176), None when it is wrong.
    """
    row = db.get(Authenticator, account_id)
    if row is None or row.confirmed_at is None:
        return None
    if _use_totp(db, row, code, now=now):
        return "otp"
    plain = rules.plain_recovery_code(code)
    if plain is None:
        return None
    once = (
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash == _hash(vault, account_id, plain),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
        .execution_options(synchronize_session=False)
    )
    if db.execute(once).one_or_none() is None:
        return None
    left = str(count_recovery_codes(db, account_id))
    messages.tell(db, account_id, "recovery-code-used", {"left": left}, subject=None, now=now)
    return "otp"


def _use_totp(db: Session, row: Authenticator, code: str, *, now: datetime) -> bool:
    totp = pyotp.TOTP(row.secret.expose(), interval=rules.TOTP_STEP_SECONDS)
    present = int(now.timestamp()) // rules.TOTP_STEP_SECONDS
    for step in range(present - rules.TOTP_WINDOW, present + rules.TOTP_WINDOW + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), code.strip()):
            once = (
                update(Authenticator)
                .where(Authenticator.account_id == row.account_id, Authenticator.step < step)
                .values(step=step)
                .returning(Authenticator.account_id)
                .execution_options(synchronize_session=False)
            )
            return db.execute(once).one_or_none() is not None
    return False


def _hash(vault: Vault, account_id: str, plain: str) -> bytes:
    return vault.index(f"{account_id}:{plain}", "recovery_code.code")
