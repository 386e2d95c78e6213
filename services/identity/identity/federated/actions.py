"""Find whose login a proof is; open a person's account at the first (5.A3, ID-29)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts import actions as accounts
from identity.accounts import agreements
from identity.accounts import rules as account_rules
from identity.accounts.model import Account, Person
from identity.accounts.rules import Identity, Sex, Standing, check_standing, document_key
from identity.adapters.proofing import Proof
from identity.federated import rules
from identity.hashing import Hasher
from identity.limits import Counts
from identity.matching.actions import count_told
from identity.units.model import Unit
from identity.verification import challenges, queries
from identity.verification import rules as levels
from identity.verification.challenge_rules import new_browser_secret
from identity.verification.levels import add_evidence
from identity.verification.rules import Channel, Scale
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import check_mobile_number, parse_resident_number
from servicekit.personal import DocumentNumber, PersonName


@dataclass(frozen=True, slots=True)
class FirstLogin:
    """What a person fills in when the channel knows them and we do not."""

    login_name: str = field(repr=False)
    agreements: Mapping[str, str]


def account_of(db: Session, proof: Proof) -> Account | None:
    """The account that this proof signs in to; None when it is unknown here.

    Raises:
        AccountLocked: it is locked.
        TwoAccounts, NameDiffers: it is not clear whose it is.
    """
    account = _person_of(db, proof) if proof.kind == "person" else _unit_of(db, proof)
    if account is not None:
        check_standing(account.standing)
    return account


def note_login(
    db: Session, account: Account, proof: Proof, channel: Channel, *, now: datetime
) -> None:
    """Let the level follow what the channel says now (ID-07).

    What is proved already, the same and for as long, is not written again at every login.
    """
    found = challenges.found_of(proof, channel)
    same = [
        each
        for each in queries.list_valid(db, account.id, channels=(channel,), now=now)
        if (found.level in (None, each.level)) and each.expires_at == found.expires_at
    ]
    if not same:
        add_evidence(db, account, found, now=now)


def open_person(
    db: Session,
    proof: Proof,
    form: FirstLogin,
    *,
    hasher: Hasher,
    counts: Counts,
    now: datetime,
) -> Account:
    """Open the account of a person whom the channel proved.

    There is no password yet; the owner makes one through recovery, by the phone.

    Raises:
        RegistrationRefused: with every wrong field.
        LoginNameTaken, DocumentTaken: somebody has it, or was quicker.
        ToldTooOften: this person was told so too often.
        NoPhone: the channel told none.
    """
    wrong = [
        *account_rules.check_login_name(form.login_name),
        *account_rules.check_agreements(form.agreements, agreements.in_force()),
    ]
    identity = _identity(proof)
    if wrong:
        raise account_rules.RegistrationRefused(fields=wrong)
    try:
        phone = check_mobile_number(proof.phone)
    except Refusal:
        raise rules.NoPhone from None
    try:
        account = accounts.open_account(
            db,
            kind=account_rules.Kind.PERSON,
            login_name=form.login_name,
            password_hash=hasher.hash(new_browser_secret()),
            phone=phone,
            now=now,
        )
    except account_rules.LoginNameTaken:
        count_told(counts, proof.number, now=now)
        raise
    key = DocumentNumber(document_key(identity.document_type, identity.document_number))
    account.person = accounts.open_person(db, account, proof.name, identity, key)
    accounts.accept(db, account, now=now)
    return account


def level_name_of(proof: Proof, channel: Channel) -> str:
    """The level that a person will have whose account is opened by this proof."""
    effect = levels.effect_of(channel, proof.kind)
    level = effect.level if proof.level is None else proof.level
    hrss = level if effect.scale is Scale.HRSS else levels.PROV_TO_HRSS[level]
    return levels.LEVEL_NAMES[Scale.HRSS][hrss]


def _identity(proof: Proof) -> Identity:
    try:
        facts = parse_resident_number(proof.number)
    except Refusal as refusal:
        wrong = FieldError("/login_name", refusal.code, refusal.message)
        raise account_rules.RegistrationRefused(fields=[wrong]) from None
    kind = rules.document_kind(facts.number)
    return Identity(kind, facts.number, facts.born, Sex(facts.sex))


def _person_of(db: Session, proof: Proof) -> Account | None:
    number = proof.number.upper()
    key = DocumentNumber(document_key(rules.document_kind(number), number))
    wanted = (
        select(Account)
        .join(Person, Person.account_id == Account.id)
        .where(Person.document_index == key, Account.standing != Standing.CANCELLED)
        .limit(2)
    )
    found = list(db.scalars(wanted))
    if len(found) > 1:
        raise rules.TwoAccounts
    if not found:
        return None
    person = found[0].person
    if person is None or PersonName(proof.name) != person.name:
        raise rules.NameDiffers
    return found[0]


def _unit_of(db: Session, proof: Proof) -> Account | None:
    # By the whole code; who registered with the organisation code registers again (ID-26).
    unit = db.scalar(
        select(Unit).where(Unit.certificate_number == proof.number, Unit.closed_at.is_(None))
    )
    return None if unit is None else unit.account
