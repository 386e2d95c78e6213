"""Prove an identity through a channel, and let the level follow the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts.model import Account, Person
from identity.adapters.bank_card import BankCardCheck, BankResult
from identity.events import FACTS, AccountVerified
from identity.limits import Counts
from identity.sms_codes import actions as sms_codes
from identity.sms_codes.rules import WRONG_CODE, Purpose
from identity.verification import rules
from identity.verification.model import Evidence
from identity.verification.rules import Channel
from servicekit.db import new_id
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import check_bank_card, check_mobile_number
from servicekit.outbox import announce
from servicekit.personal import BankCard, MobileNumber


@dataclass(frozen=True, slots=True)
class Card:
    """What the person filled in for the bank-card check (银联实名认证)."""

    card_number: str = field(repr=False)
    phone: str = field(repr=False)
    sms_code: str = field(repr=False)


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
        counts, phone=card.phone, purpose=Purpose.BANK_CARD_CHECK, code=card.sms_code, now=now
    )
    _check_form(card, code_known=code_id is not None)
    if account.person is None or code_id is None or not sms_codes.use(db, code_id, now=now):
        raise rules.CheckForm(fields=[WRONG_CODE])
    result = _ask(account.person, card, bank=bank, counts=counts, now=now)
    return add_evidence(
        db, account, Channel.BANK_CARD, result.reference, result.answer_hash, now=now
    )


def add_evidence(
    db: Session,
    account: Account,
    channel: Channel,
    reference: str,
    answer_hash: bytes,
    *,
    now: datetime,
) -> Evidence:
    """Keep what was proved; when the level rises, say so (ID-07)."""
    evidence = Evidence(
        id=new_id(),
        account_id=account.id,
        channel=channel,
        level=rules.LEVEL_OF[channel],
        reference=reference,
        answer_hash=answer_hash,
        verified_at=now,
    )
    db.add(evidence)
    db.flush()
    before, account.level = account.level, rules.level_of(list_evidence(db, account.id), now=now)
    account.updated_at = now
    if account.level > before:
        verified = FACTS.of(
            AccountVerified,
            subject=account.id,
            now=now,
            account_id=account.id,
            level=account.level,
            channel=channel,
        )
        announce(db, verified)
    return evidence


def list_evidence(db: Session, account_id: str) -> list[Evidence]:
    """Everything that was ever proved, the newest first; there are never many."""
    wanted = select(Evidence).where(Evidence.account_id == account_id)
    return list(db.scalars(wanted.order_by(Evidence.verified_at.desc()).limit(200)))


def _check_form(card: Card, *, code_known: bool) -> None:
    wrong = []
    for pointer, check, text in (
        ("/card_number", check_bank_card, card.card_number),
        ("/phone", check_mobile_number, card.phone),
    ):
        try:
            check(text)
        except Refusal as refusal:
            wrong.append(FieldError(pointer, refusal.code, refusal.message))
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
    except rules.OutsideFailed:
        counts.give_back(day, person.account_id)
        counts.forgive(rules.PACE, person.account_id, now=now)
        raise
    counts.succeeded(rules.PACE, person.account_id)
    return result
