"""Register a person, change own data, lock an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from identity import password_policy
from identity.accounts import agreements, rules
from identity.accounts.model import Acceptance, Account, BirthDate, LoginName, Person
from identity.events import FACTS, AccountLocked, AccountRegistered
from identity.hashing import Hasher
from identity.limits import Counts
from identity.matching import actions as matching
from identity.messages import actions as messages
from identity.sms_codes import actions as sms_codes
from identity.sms_codes.rules import WRONG_CODE, Purpose
from servicekit.clock import shanghai_date
from servicekit.db import new_id, unique_violation
from servicekit.errors import Conflict, FieldError
from servicekit.outbox import announce
from servicekit.personal import DocumentNumber, EmailAddress, MobileNumber, PersonalText, PersonName

_LOGIN_TAKEN = FieldError(
    "/login_name", rules.LoginNameTaken.code, rules.LoginNameTaken.default_message
)
_DOCUMENT_TAKEN = FieldError(
    "/document_number", rules.DocumentTaken.code, rules.DocumentTaken.default_message
)
_TAKEN = {"account_login_name_once": _LOGIN_TAKEN, "person_document_once": _DOCUMENT_TAKEN}


def find(db: Session, account_id: str) -> Account:
    """The account.

    Raises:
        NoAccount: there is none.
    """
    account = db.get(Account, account_id)
    if account is None:
        raise rules.NoAccount
    return account


def register(
    db: Session,
    form: rules.Form,
    *,
    policy: password_policy.Policy,
    hasher: Hasher,
    counts: Counts,
    now: datetime,
) -> Account:
    """Open a personal account of level 1 (ID-01 … ID-04).

    Whether a name or a number is taken is told only to somebody who holds the phone.

    Raises:
        RegistrationRefused: with every wrong field.
        LoginNameTaken, DocumentTaken: with both fields when both are taken.
        ToldTooOften: told so to this phone too often.
    """
    code_id = sms_codes.check(
        counts, phone=form.phone, purpose=Purpose.REGISTRATION, code=form.sms_code, now=now
    )
    wrong = [] if code_id else [WRONG_CODE]
    identity = rules.check_form(
        form,
        policy,
        agreements=agreements.in_force(),
        today=shanghai_date(now),
        also=wrong,
    )
    key = DocumentNumber(rules.document_key(identity.document_type, identity.document_number))
    _check_free(db, form, key, counts=counts, now=now)
    if code_id is None or not sms_codes.use(db, code_id, now=now):
        raise rules.RegistrationRefused(fields=[WRONG_CODE])
    account = open_account(
        db,
        kind=rules.Kind.PERSON,
        login_name=form.login_name,
        password_hash=hasher.hash(form.password),
        phone=form.phone,
        now=now,
    )
    account.person = open_person(db, account, form.name, identity, key)
    accept(db, account, now=now)
    return account


def open_account(
    db: Session, *, kind: rules.Kind, login_name: str, password_hash: str, phone: str, now: datetime
) -> Account:
    """Write the account itself and announce it; the database decides whose the login name is.

    Raises:
        LoginNameTaken: somebody has it.
    """
    account = Account(
        id=new_id(),
        kind=kind,
        standing=rules.Standing.ACTIVE,
        login_name=LoginName(login_name),
        login_name_index=LoginName(rules.login_key(login_name)),
        password_hash=password_hash,
        password_changed_at=now,
        phone=MobileNumber(phone),
        phone_index=MobileNumber(phone),
        level=rules.UNVERIFIED_UNIT if kind is rules.Kind.UNIT else rules.LOWEST,
        created_at=now,
        updated_at=now,
    )
    _add(db, account)
    registered = FACTS.of(
        AccountRegistered, subject=account.id, now=now, account_id=account.id, kind=kind
    )
    announce(db, registered)
    return account


def change_own(
    db: Session,
    account: Account,
    changes: Mapping[str, str | None],
    *,
    counts: Counts,
    now: datetime,
) -> None:
    """Change what the owner may change: phone with two codes, e-mail with one (ID-17).

    Raises:
        OwnDataRefused: nothing to change, something that never changes, or a code is wrong.
    """
    rules.check_fixed(changes)
    if not {"phone", "email"} & set(changes):
        raise rules.OwnDataRefused("没有可修改的内容")
    if "email" in changes:
        code = changes.get("email_sms_code") or ""
        change_email(db, account, changes["email"], sms_code=code, counts=counts, now=now)
    phone = changes.get("phone")
    if phone is not None:
        codes = (changes.get("old_sms_code") or "", changes.get("sms_code") or "")
        change_phone(db, account, phone=phone, codes=codes, counts=counts, now=now)
    account.updated_at = now


def change_email(
    db: Session,
    account: Account,
    email: str | None,
    *,
    sms_code: str,
    counts: Counts,
    now: datetime,
) -> None:
    """Take another address, or none: a code on the account's own phone (ID-17).

    Raises:
        OwnDataRefused: the code is wrong.
    """
    code_id = sms_codes.check(
        counts,
        phone=account.phone.expose(),
        purpose=Purpose.CHANGE_EMAIL,
        code=sms_code,
        owner_id=account.id,
        now=now,
    )
    if code_id is None or not sms_codes.use(db, code_id, now=now):
        wrong = replace(WRONG_CODE, field="/email_sms_code")
        raise rules.OwnDataRefused(fields=[wrong])
    account.email = EmailAddress(email) if email else None


def change_phone(
    db: Session,
    account: Account,
    *,
    phone: str,
    codes: tuple[str, str],
    counts: Counts,
    now: datetime,
) -> None:
    """Take a new phone: a code on the old one and a code on the new one (ID-17, T5).

    Whoever lost the old one recovers the account first, where a person is looked at.

    Args:
        codes: what was sent to the old number, and what was sent to the new one.

    Raises:
        OwnDataRefused: naming every code that is wrong.
    """
    asked: Any = {"purpose": Purpose.CHANGE_PHONE, "owner_id": account.id, "now": now}
    old, new = codes
    held = account.phone.expose()
    checked = (
        sms_codes.check(counts, phone=held, code=old, **asked),
        sms_codes.check(counts, phone=phone, code=new, **asked),
    )
    told = (rules.WRONG_OLD_CODE, WRONG_CODE)
    used = [each and sms_codes.use(db, each, now=now) for each in checked]
    wrong = [field for field, good in zip(told, used, strict=True) if not good]
    if wrong:
        raise rules.OwnDataRefused(fields=wrong)
    messages.tell(db, account.id, "phone-changed", {}, subject=None, now=now)
    account.phone = account.phone_index = MobileNumber(phone)
    account.updated_at = now


def accept(db: Session, account: Account, *, now: datetime) -> None:
    """Keep which versions of the agreements were accepted, and when."""
    for name, version in agreements.in_force().items():
        db.add(Acceptance(account_id=account.id, agreement=name, version=version, accepted_at=now))


def lock(db: Session, account_id: str, *, now: datetime) -> Account:
    """Lock an account: no login, and every service refuses its tokens within two seconds (ID-43).

    Raises:
        NoAccount: there is none.
        Conflict: it is not active.
    """
    account = find(db, account_id)
    if account.standing is not rules.Standing.ACTIVE:
        raise rules.NotActive
    account.standing = rules.Standing.LOCKED
    account.updated_at = now
    announce(db, FACTS.of(AccountLocked, subject=account.id, now=now, account_id=account.id))
    return account


def open_person(
    db: Session,
    account: Account,
    name: str,
    identity: rules.Identity,
    key: DocumentNumber,
    *,
    migrated_twice: bool = False,
) -> Person:
    """Write the natural person of an account.

    Args:
        migrated_twice: a further account of the same person, from the systems before (ID-05).

    Raises:
        DocumentTaken: another account has the document (ID-04).
    """
    person = Person(
        account_id=account.id,
        name=PersonName(name),
        document_type=identity.document_type,
        document_number=DocumentNumber(identity.document_number),
        document_index=key,
        birth_date=BirthDate(identity.birth_date.isoformat()),
        sex=PersonalText(identity.sex),
        likeness_index=PersonalText(rules.likeness_key(name, identity.birth_date)),
        migrated_twice=migrated_twice,
    )
    _add(db, person)
    return person


def _check_free(
    db: Session, form: rules.Form, key: DocumentNumber, *, counts: Counts, now: datetime
) -> None:
    # Asked beforehand only to name both fields at once; the indexes decide.
    wrong = []
    name = LoginName(rules.login_key(form.login_name))
    if db.scalar(select(Account.id).where(Account.login_name_index == name)):
        wrong.append(_LOGIN_TAKEN)
    if db.scalar(select(Person.account_id).where(Person.document_index == key).limit(1)):
        wrong.append(_DOCUMENT_TAKEN)
    if wrong:
        matching.count_told(counts, form.phone, now=now)
        raise _taken(wrong)


def _add(db: Session, row: Account | Person) -> None:
    db.add(row)
    try:
        db.flush()
    except IntegrityError as error:
        taken = _TAKEN.get(unique_violation(error) or "")
        if taken is None:
            raise
        raise _taken([taken]) from None


def _taken(wrong: list[FieldError]) -> Conflict:
    refusals = {r.code: r for r in (rules.DocumentTaken, rules.LoginNameTaken)}
    way = {"recovery": rules.RECOVERY} if _DOCUMENT_TAKEN in wrong else {}
    return refusals[wrong[-1].code](fields=wrong, extra=way)
