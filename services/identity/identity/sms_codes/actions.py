"""Send a code, check a code, use it up."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from identity import devices
from identity.accounts.model import Account
from identity.accounts.rules import Kind, Standing
from identity.limits import Counts
from identity.login_history.rules import place_of
from identity.messages import actions as messages
from identity.pace import Limit
from identity.sms_codes import rules
from identity.sms_codes.model import SmsCode
from servicekit.db import new_id
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import check_mobile_number
from servicekit.personal import MobileNumber
from servicekit.vault import Vault

_MOST_ACCOUNTS = 20  # with one phone that are looked at

PURPOSE_TITLES = {
    rules.Purpose.REGISTRATION: "注册账号",
    rules.Purpose.SIGN_IN: "登录",
    rules.Purpose.RECOVERY: "找回账号或密码",
    rules.Purpose.BANK_CARD_CHECK: "银联实名认证",
    rules.Purpose.CHANGE_PHONE: "更换手机号码",
    rules.Purpose.CHANGE_EMAIL: "更换电子邮箱",
    rules.Purpose.UNIT_REGISTRATION: "注册单位账号",
    rules.Purpose.OWN_PHONE: "确认本人操作",
}


def send(
    db: Session,
    *,
    phone: str,
    purpose: rules.Purpose,
    address: str,
    limits: rules.Limits,
    counts: Counts,
    now: datetime,
    owner_id: str | None = None,
    device: str | None = None,
) -> None:
    """Send a new code; an older one for the same purpose is worth nothing from now on (ID-18).

    The code is sent whether or not the phone belongs to an account, so nothing can be learned.

    Args:
        owner_id: the account that asks; the code is good for it alone.
        device: the cookie that says which accounts signed in from this browser.

    Raises:
        CodeRefused: not a mobile number.
        TooManyCodes: the phone, the address or everybody together asked too often.
    """
    number = _number(phone)
    holder = _holder(db, number, owner_id, device, vault=counts.vault)
    for allowances, who in _allowances(limits, number, purpose, address, holder):
        wait = counts.take(allowances, who, now=now)
        if wait is not None:
            raise rules.TooManyCodes(retry_after=wait)
    code = _replace(db, number, purpose, owner_id, vault=counts.vault, now=now)
    words = {
        "code": code,
        "purpose": PURPOSE_TITLES[purpose],
        "minutes": str(int(rules.LIFE.total_seconds() // 60)),
    }
    useless_at = now + rules.LIFE
    messages.send_sms(
        db, "sms-code", words, phone=number, useless_at=useless_at, account_id=None, now=now
    )


def check(
    counts: Counts,
    *,
    phone: str,
    purpose: rules.Purpose,
    code: str,
    now: datetime,
    owner_id: str | None = None,
) -> str | None:
    """Compare a code; a wrong one is counted at once and for good, a right one is not.

    Args:
        owner_id: the account it was sent for; None for a visitor's.

    Returns:
        the id to hand to :func:`use`, or None: wrong, expired, used, guessed at too often.
    """
    newest = (
        select(SmsCode.id)
        .where(
            SmsCode.phone_index == MobileNumber(phone),
            SmsCode.purpose == purpose,
            SmsCode.owner_id.is_not_distinct_from(owner_id),
            SmsCode.used_at.is_(None),
            SmsCode.expires_at > now,
        )
        .order_by(SmsCode.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    # Counted before it is compared: a hundred guesses at the same moment are five.
    guess = (
        update(SmsCode)
        .where(SmsCode.id == newest, SmsCode.tries < rules.MOST_TRIES, SmsCode.used_at.is_(None))
        .values(tries=SmsCode.tries + 1)
        .returning(SmsCode.id, SmsCode.code_hash)
        .execution_options(synchronize_session=False)
    )
    with counts.apart() as db:
        found = db.execute(guess).one_or_none()
        if found is None or not hmac.compare_digest(
            found.code_hash, _hash(counts.vault, found.id, code)
        ):
            return None
        right = update(SmsCode).where(SmsCode.id == found.id).values(tries=SmsCode.tries - 1)
        db.execute(right)
        return str(found.id)


def use(db: Session, code_id: str, *, now: datetime) -> bool:
    """Use a checked code up; of two requests with one code, one gets True."""
    once = (
        update(SmsCode)
        .where(SmsCode.id == code_id, SmsCode.used_at.is_(None))
        .values(used_at=now)
        .returning(SmsCode.id)
    )
    return db.execute(once).one_or_none() is not None


def accounts_of(db: Session, phone: str) -> list[Account]:
    """The personal accounts of whoever holds this phone, the oldest first."""
    own = (
        Account.phone_index == MobileNumber(phone),
        Account.kind == Kind.PERSON,
        Account.standing != Standing.CANCELLED,
    )
    wanted = select(Account).where(*own).order_by(Account.created_at, Account.id)
    return list(db.scalars(wanted.limit(_MOST_ACCOUNTS)))


def _number(phone: str) -> MobileNumber:
    try:
        return MobileNumber(check_mobile_number(phone))
    except Refusal as refusal:
        wrong = FieldError("/phone", refusal.code, refusal.message)
        raise rules.CodeRefused(fields=[wrong]) from None


def _holder(
    db: Session, number: MobileNumber, owner_id: str | None, device: str | None, *, vault: Vault
) -> str | None:
    """The account that is known to be asking for its own phone; looked up for every number."""
    with_phone = select(Account).where(Account.phone_index == number).limit(_MOST_ACCOUNTS)
    for account in db.scalars(with_phone):
        if account.id == owner_id or devices.knows(vault, account, device):
            return account.id
    return None


def _allowances(
    limits: rules.Limits,
    number: MobileNumber,
    purpose: rules.Purpose,
    address: str,
    holder: str | None,
) -> list[tuple[tuple[Limit, ...], str]]:
    """What has to be left; the widest last, so that what is refused uses up nobody's."""
    phone, place = number.expose(), place_of(address)
    if holder is not None:
        return [
            (limits.pause(), f"{phone}:{purpose}:{holder}"),
            (limits.of_owner(), f"{phone}:{holder}"),
            (limits.of_everybody(), "everybody"),
        ]
    return [
        (limits.of_address(), address),
        (limits.pause(), f"{phone}:{purpose}:{place}"),
        (limits.of_place(), f"{phone}@{place}"),
        (limits.of_phone(), phone),
        (limits.of_strangers(), "strangers"),
        (limits.of_everybody(), "everybody"),
    ]


def _replace(
    db: Session,
    number: MobileNumber,
    purpose: rules.Purpose,
    owner_id: str | None,
    *,
    vault: Vault,
    now: datetime,
) -> str:
    older = (
        SmsCode.phone_index == number,
        SmsCode.purpose == purpose,
        SmsCode.owner_id.is_not_distinct_from(owner_id),
        SmsCode.used_at.is_(None),
    )
    db.execute(update(SmsCode).where(*older).values(used_at=now))
    code = f"{secrets.randbelow(10**rules.DIGITS):0{rules.DIGITS}}"
    code_id = new_id()
    db.add(
        SmsCode(
            id=code_id,
            phone_index=number,
            owner_id=owner_id,
            purpose=purpose,
            code_hash=_hash(vault, code_id, code),
            created_at=now,
            expires_at=now + rules.LIFE,
            tries=0,
        )
    )
    return code


def _hash(vault: Vault, code_id: str, code: str) -> bytes:
    # Keyed: a million codes are tried in a second, but not without the key.
    return vault.index(f"{code_id}:{code}", "sms_code.code")
