"""Prove an identity by the bank-card check; the level follows the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from identity.accounts import agreements as published
from identity.accounts.model import Account, Person
from identity.adapters.bank_card import BankCardCheck, BankResult
from identity.agreements import actions as agreements
from identity.agreements.queries import has_consent
from identity.limits import Counts
from identity.sms_codes import actions as sms_codes
from identity.sms_codes.rules import WRONG_CODE, Purpose
from identity.verification import rules
from identity.verification.levels import Found, add_evidence
from identity.verification.model import Evidence
from identity.verification.rules import Channel
from servicekit.errors import FieldError, OutsideFailed, Refusal
from servicekit.identifiers import check_bank_card, check_mobile_number
from servicekit.personal import BankCard, MobileNumber


@dataclass(frozen=True, slots=True)
class Card:
    """What the person filled in for the bank-card check (银联实名认证)."""

    card_number: str = field(repr=False)
    phone: str = field(repr=False)
    sms_code: str = field(repr=False)
    consent: str = ""  # the version of the separate consent that was read (个人信息保护法 29)


def check_bank_card_of(
    db: Session,
    account: Account,
    card: Card,
    *,
    bank: BankCardCheck,
    counts: Counts,
    now: datetime,
) -> Evidence:
    """Raise a person to level 2 by the four-element check (ID-06).

    Raises:
        AlreadyProved: there is nothing to gain.
        CheckForm: with every wrong field.
        ChannelClosed: ten a day, or three wrong in a row.
        CheckFailed: the bank says the data do not belong together.
        OutsideFailed: the bank did not answer; nothing was counted.
    """
    rules.check_needed(account.level, Channel.BANK_CARD)
    code_id = sms_codes.check(
        counts,
        phone=card.phone,
        purpose=Purpose.BANK_CARD_CHECK,
        code=card.sms_code,
        now=now,
        owner_id=account.id,
    )
    consented = _consent(db, account, card, now=now)
    _check_form(card, code_known=code_id is not None, consented=consented)
    if account.person is None or code_id is None or not sms_codes.use(db, code_id, now=now):
        raise rules.CheckForm(fields=[WRONG_CODE])
    result = _ask(account.person, card, bank=bank, counts=counts, now=now)
    found = Found(
        channel=Channel.BANK_CARD,
        provider="unionpay",
        reference=result.reference,
        answer_hash=result.answer_hash,
        masked=_masked(card),
    )
    return add_evidence(db, account, found, now=now)


def _masked(card: Card) -> dict[str, str]:
    return {"card": BankCard(card.card_number).mask(), "phone": MobileNumber(card.phone).mask()}


def _consent(db: Session, account: Account, card: Card, *, now: datetime) -> bool:
    wanted = published.find(rules.CARD_CONSENT)
    if wanted is not None and card.consent == wanted.version:
        agreements.accept(db, account.id, wanted.name, wanted.version, now=now)
    return has_consent(db, account.id, rules.CARD_CONSENT)


def _check_form(card: Card, *, code_known: bool, consented: bool) -> None:
    wrong = []
    for pointer, check, text in (
        ("/card_number", check_bank_card, card.card_number),
        ("/phone", check_mobile_number, card.phone),
    ):
        try:
            check(text)
        except Refusal as refusal:
            wrong.append(FieldError(pointer, refusal.code, refusal.message))
    if not consented:
        wrong.append(rules.CONSENT_NEEDED)
    if not code_known:
        wrong.append(WRONG_CODE)
    if wrong:
        raise rules.CheckForm(fields=wrong)


def _ask(
    person: Person, card: Card, *, bank: BankCardCheck, counts: Counts, now: datetime
) -> BankResult:
    """Ask the bank once, inside the day's allowance and the three wrong answers in a row."""
    day = (rules.day_limit(now),)
    wait = counts.take(day, person.account_id, now=now)
    wait = wait or counts.attempt(rules.PACE, person.account_id, now=now)
    if wait is not None:
        raise rules.ChannelClosed(retry_after=wait)
    try:
        result = bank.check(
            name=person.name,
            document_number=person.document_number,
            card_number=BankCard(card.card_number),
            phone=MobileNumber(card.phone),
        )
        rules.check_answer(result.code)
    except OutsideFailed:
        counts.give_back(day, person.account_id)
        counts.forgive(rules.PACE, person.account_id, now=now)
        raise
    counts.succeeded(rules.PACE, person.account_id)
    return result
