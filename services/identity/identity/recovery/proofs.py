"""The proofs a person carries, and how each is checked without telling who has an account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import PERSON_NAME
from identity.adapters.bank_card import BankCardCheck
from identity.hashing import Hasher
from identity.limits import Counts
from identity.password_policy import Policy, check
from identity.recovery import queries, rules
from identity.sms_codes import actions as sms_codes
from identity.sms_codes.rules import WRONG_CODE, Purpose
from identity.verification import rules as channels
from servicekit.clock import shanghai_date
from servicekit.errors import FieldError, OutsideFailed, Refusal
from servicekit.identifiers import DocumentKind, check_bank_card, check_document
from servicekit.personal import BankCard, DocumentNumber, MobileNumber, PersonName


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone and the code that was sent to it."""

    number: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPassword:
    """Typed twice."""

    password: str = field(repr=False)
    again: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """What a bank compares (四要素); its phone is the one that showed a code."""

    name: str = field(repr=False)
    document_type: DocumentKind
    document_number: str = field(repr=False)
    card_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Means:
    """What the application lends."""

    counts: Counts
    hasher: Hasher
    policy: Policy
    bank: BankCardCheck
    stop_address: str


def prove(db: Session, phone: Phone, *, means: Means, now: datetime) -> None:
    """Use up the code on the phone.

    Raises:
        FormRefused: it is wrong.
    """
    code_id = sms_codes.check(
        means.counts,
        phone=phone.number,
        purpose=Purpose.RECOVERY,
        code=phone.code,
        now=now,
    )
    if code_id is None or not sms_codes.use(db, code_id, now=now):
        raise rules.FormRefused(fields=[WRONG_CODE])


def count(means: Means, login_name: str, *, now: datetime) -> None:
    """Counted as wrong until it was right; the same for names nobody has."""
    wait = means.counts.attempt(rules.GUESSING, login_name.casefold(), now=now)
    if wait is not None:
        raise rules.RecoverySlowDown(retry_after=wait)


def by_card(db: Session, phone: Phone, card: Card, *, means: Means, now: datetime) -> list[Account]:
    """Ask the bank whether or not there is an account, so that its time tells nothing."""
    number = _check_card(card, now=now)
    prove(db, phone, means=means, now=now)
    who = f"{card.document_type}:{number}"
    wait = means.counts.take((channels.day_limit(now),), who, now=now)
    wait = wait or means.counts.attempt(channels.PACE, who, now=now)
    if wait is not None:
        raise rules.RecoverySlowDown(retry_after=wait)
    try:
        result = means.bank.check(
            name=PersonName(card.name),
            document_number=DocumentNumber(number),
            card_number=BankCard(card.card_number),
            phone=MobileNumber(phone.number),
        )
        channels.check_answer(result.code)
    except OutsideFailed:
        means.counts.give_back((channels.day_limit(now),), who)
        means.counts.forgive(channels.PACE, who, now=now)
        raise
    means.counts.succeeded(channels.PACE, who)
    found = queries.accounts_of_document(db, card.document_type, number, card.name)
    if not found:
        raise rules.RecoveryRefused
    return found


def _check_card(card: Card, *, now: datetime) -> str:
    wrong, number = [], ""
    if not PERSON_NAME.fullmatch(card.name):
        wrong.append(FieldError("/name", "name-malformed", "姓名应为 2–50 个汉字或字母"))
    try:
        number = check_document(card.document_type, card.document_number, shanghai_date(now))
    except Refusal as refusal:
        wrong.append(FieldError("/document_number", refusal.code, refusal.message))
    try:
        check_bank_card(card.card_number)
    except Refusal as refusal:
        wrong.append(FieldError("/card_number", refusal.code, refusal.message))
    if wrong:
        raise rules.FormRefused(fields=wrong)
    return number


def check_new(new: NewPassword, context: tuple[str, ...], *, means: Means) -> None:
    """Before anything is looked up, so that what is wrong with it says nothing of the account."""
    wrong = check(means.policy, new.password, context=context)
    if new.password != new.again:
        wrong.append(FieldError("/password_again", "password-differs", "两次输入的密码不一致"))
    if wrong:
        raise rules.FormRefused(fields=wrong)
