"""Whose account somebody means, and which cases there are."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts.model import Account, Person
from identity.accounts.queries import find_by_login_name
from identity.accounts.rules import Kind, Standing, document_key
from identity.recovery.model import PersonRecovery, RecoveryStop, UnitRecovery
from identity.units.model import Unit
from servicekit.identifiers import DocumentKind
from servicekit.personal import DocumentNumber, MobileNumber, PersonName

_MOST_ACCOUNTS = 5  # of one document; migrated data knows two

Recovery = PersonRecovery | UnitRecovery


def accounts_of_document(db: Session, kind: DocumentKind, number: str, name: str) -> list[Account]:
    """The living accounts of the person with this document and this name."""
    key = DocumentNumber(document_key(kind, number))
    wanted = (
        select(Account)
        .join(Person, Person.account_id == Account.id)
        .where(Person.document_index == key, Account.standing != Standing.CANCELLED)
        .order_by(Account.created_at, Account.id)
    )
    same = PersonName(name)
    found = db.scalars(wanted.limit(_MOST_ACCOUNTS)).all()
    return [a for a in found if a.person is not None and a.person.name == same]


def account_of_name(
    db: Session,
    login_name: str,
    *,
    phone: str | None = None,
    document_number: str | None = None,
) -> Account | None:
    """A living personal account, when everything that is known of it is right."""
    account = find_by_login_name(db, login_name)
    if account is None or account.person is None or account.kind is not Kind.PERSON:
        return None
    right = [account.standing is not Standing.CANCELLED]
    if phone is not None:
        right.append(account.phone == MobileNumber(phone))
    if document_number is not None:
        right.append(account.person.document_number == DocumentNumber(document_number))
    return account if all(right) else None


def unit_of(db: Session, certificate_number: str, name: str) -> Unit | None:
    """The living unit with this number and this name."""
    wanted = select(Unit).where(
        Unit.certificate_number == certificate_number, Unit.closed_at.is_(None)
    )
    unit = db.scalar(wanted)
    return unit if unit is not None and unit.name == name else None


def find_case(db: Session, number: str) -> Recovery | None:
    """The case with this number, of either kind."""
    person = db.scalar(select(PersonRecovery).where(PersonRecovery.number == number))
    return person or db.scalar(select(UnitRecovery).where(UnitRecovery.number == number))


def get_case(db: Session, case_id: str) -> Recovery | None:
    """The case with this id, of either kind."""
    return db.get(PersonRecovery, case_id) or db.get(UnitRecovery, case_id)


def with_photographs(db: Session, account_id: str) -> list[Recovery]:
    """The cases about an account whose photographs were consented to, held."""
    found: list[Recovery] = []
    for table in (PersonRecovery, UnitRecovery):
        wanted = select(table).where(
            table.account_id == account_id,
            table.photos_consent.is_not(None),
            table.photos_withdrawn_at.is_(None),
        )
        found.extend(db.scalars(wanted.with_for_update()))
    return found


def open_stop(db: Session, code_hash: bytes) -> RecoveryStop | None:
    """The stop of this code that was not used yet, held until the transaction ends."""
    wanted = select(RecoveryStop).where(
        RecoveryStop.code_hash == code_hash, RecoveryStop.used_at.is_(None)
    )
    return db.scalar(wanted.with_for_update())
