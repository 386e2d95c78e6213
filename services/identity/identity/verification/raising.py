"""Raise a level through a channel: what is asked for, and what a proof is worth to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import Kind, document_key
from identity.adapters.legal_person_base import PROVIDER, LegalPersonBase
from identity.adapters.proofing import Proof, Wish
from identity.agreements.queries import has_consent
from identity.units import queries as units
from identity.units.model import Unit
from identity.units.rules import CertificateKind
from identity.verification import challenges, queries, rules
from identity.verification.levels import Found, add_evidence
from identity.verification.model import Challenge, Evidence
from identity.verification.rules import Channel
from servicekit.identifiers import DocumentKind
from servicekit.personal import PersonName

# As they stand on the page: what most people have at hand comes first.
CHANNELS: Final[dict[str, tuple[Channel, ...]]] = {
    "person": (
        Channel.BANK_CARD,
        Channel.PROVINCE,
        Channel.SOCIAL_CARD,
        Channel.FACE,
        Channel.ON_SITE,
    ),
    "unit": (
        Channel.LEGAL_PERSON_BASE,
        Channel.LICENCE,
        Channel.NET_BANK,
        Channel.CERTIFICATE,
        Channel.ON_SITE,
    ),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One channel on the page: what it gives, and whether it is done."""

    channel: Channel
    level: int
    level_name: str
    title: str
    done: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """Who wants a higher level, as channels are told."""

    kind: str
    level: int
    name: str = field(repr=False)
    number: str = field(repr=False)


def subject_of(db: Session, account: Account) -> Subject:
    """The person or unit behind an account.

    Raises:
        NoSuchChannel: officers have no level.
    """
    if account.kind is Kind.PERSON and account.person is not None:
        person = account.person
        number = person.document_number.expose()
        return Subject("person", account.level, person.name.expose(), number)
    if account.kind is Kind.UNIT:
        unit = units.find_unit(db, account.id)
        return Subject("unit", account.level, unit.name, unit.certificate_number)
    raise rules.NoSuchChannel


def choices(
    db: Session, account: Account, *, wanted: int, off: frozenset[str], now: datetime
) -> list[Choice]:
    """The channels that lead to the wanted level, or further."""
    done = {each.channel for each in queries.list_valid(db, account.id, now=now)}
    names = rules.LEVEL_NAMES[rules.OWN_SCALE[account.kind]]
    found = []
    for channel in CHANNELS[account.kind]:
        level = rules.reaches(rules.effect_of(channel, account.kind), account.kind)
        if level >= wanted and channel not in off:
            title = rules.CHANNEL_NAMES[channel]
            found.append(Choice(channel, level, names[level], title, channel in done))
    return found


def proved_by(db: Session, account: Account, *, now: datetime) -> list[str]:
    """What the channels are called by which the account was proved, and still is (D5)."""
    valid = queries.list_valid(db, account.id, now=now)
    return list(dict.fromkeys(rules.CHANNEL_NAMES[Channel(each.channel)] for each in valid))


def wish_of(subject: Subject, *, confirm: str, where: str, back: str) -> Wish:
    """What a channel is asked."""
    return Wish(
        kind=subject.kind,
        name=subject.name,
        number=subject.number,
        confirm=confirm,
        where=where,
        back=back,
    )


def finish(db: Session, challenge: Challenge, account: Account, *, now: datetime) -> Evidence:
    """Use a proof for the account it was begun for.

    Raises:
        ChallengeOver: it was used, or is none.
        SomebodyElse: another person or unit was proved.
        ConsentMissing: the separate consent was taken back meanwhile.
    """
    channel = Channel(challenge.channel)
    if not is_consented(db, account.id, channel):
        raise rules.ConsentMissing
    proof = challenges.use(db, challenge, now=now)
    check_same(db, account, proof)
    found = challenges.found_of(proof, channel)
    return add_evidence(db, account, found, now=now)


def is_consented(db: Session, account_id: str, channel: Channel) -> bool:
    """Did the person consent separately to what this channel does, where it takes a consent?"""
    consent = rules.CONSENT_BEFORE.get(channel)
    return consent is None or has_consent(db, account_id, consent)


def check_same(db: Session, account: Account, proof: Proof) -> None:
    """Is it the holder of this account whom the channel proved?

    Raises:
        SomebodyElse: it is not.
    """
    subject = subject_of(db, account)
    if subject.kind != proof.kind or not _is_number_of(db, account, subject, proof.number):
        raise rules.SomebodyElse
    # A unit may be called otherwise since it registered; its number never changes.
    if subject.kind == "person" and PersonName(proof.name) != PersonName(subject.name):
        raise rules.SomebodyElse


def check_base(db: Session, account: Account, *, base: LegalPersonBase, now: datetime) -> Evidence:
    """Raise a unit to 三级（L1） by the legal-person base (ID-24).

    Raises:
        AlreadyProved: there is nothing to gain.
        BaseCheckFailed: the base knows no such unit, or it does not exist any more.
        OutsideFailed: no answer; nothing was kept.
    """
    rules.check_needed(account.level, Channel.LEGAL_PERSON_BASE, account.kind)
    unit = units.find_unit(db, account.id)
    answer = base.check(
        certificate_number=unit.certificate_number,
        name=unit.name,
        legal_representative=unit.legal_name,
    )
    if not answer.is_in_business:
        raise rules.BaseCheckFailed
    found = Found(
        channel=Channel.LEGAL_PERSON_BASE,
        provider=PROVIDER,
        reference=answer.reference,
        answer_hash=answer.answer_hash,
        masked={"name": unit.name, "number": unit.certificate_number},
    )
    return add_evidence(db, account, found, now=now)


def _is_number_of(db: Session, account: Account, subject: Subject, number: str) -> bool:
    if subject.kind == "person":
        assert account.person is not None
        kind = DocumentKind(account.person.document_type)
        return document_key(kind, number.upper()) == document_key(kind, subject.number)
    unit: Unit = units.find_unit(db, account.id)
    if unit.certificate_type is CertificateKind.USCC:
        return number == unit.certificate_number
    return number[8:17] == unit.certificate_number  # the organisation code inside the USCC
