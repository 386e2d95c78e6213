"""Looking a person up by login name and number, always with the same work."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from identity.accounts.model import Account, LoginName, Person
from identity.accounts.rules import Kind, Standing, document_key, login_key, may_act
from servicekit.identifiers import DocumentKind
from servicekit.personal import DocumentNumber, PersonName
from servicekit.vault import vault_of


@dataclass(frozen=True, slots=True)
class Matched:
    """The person, and how many accounts of theirs there are (ID-05)."""

    account: Account
    accounts_of_person: int


def find_person(
    db: Session, *, login_name: str, number: str, name: str | None = None
) -> Matched | None:
    """The active personal account with this login name, if the number (and the name) is its own.

    A permit that was issued anew is the same document: only its lasting part is compared. Both
    statements run and every comparison is made whether or not there is such a login name.
    """
    # Columns, not entities: making an entity of a hit would take measurably longer than a miss.
    columns = (
        Account.id,
        Account.kind,
        Account.standing,
        Person.document_type,
        Person.document_index,
        Person.name,
    )
    wanted = select(*columns).outerjoin(Person, Person.account_id == Account.id)
    row = db.execute(
        wanted.where(Account.login_name_index == LoginName(login_key(login_name)))
    ).one_or_none()
    held = b"" if row is None or row.document_index is None else bytes(row.document_index)
    index = _index(db, row.document_type if held and row is not None else None, number)
    holders = count_holders(db, index)
    fits = hmac.compare_digest(held, index)
    given = PersonName(name or "").expose().casefold()
    known = "" if row is None or row.name is None else row.name.expose().casefold()
    fits &= hmac.compare_digest(known.encode(), given.encode()) or name is None
    if row is None or not fits or row.kind is not Kind.PERSON or not may_act(row.standing):
        return None
    return Matched(db.get_one(Account, row.id), holders)


def index_of(person: Person) -> bytes:
    """The blind index of the person's document, as it is stored."""
    read: Any = person.document_index  # the column reads as bytes, which say nothing
    return bytes(read)


def count_holders(db: Session, index: bytes) -> int:
    """How many accounts that are not cancelled hold the document of this blind index (ID-05)?"""
    same = (Person.document_index == index, Account.standing != Standing.CANCELLED)
    held = select(func.count()).select_from(Person).join(Account, Account.id == Person.account_id)
    return db.scalar(held.where(*same)) or 0


def _index(db: Session, document_type: str | None, number: str) -> bytes:
    kind = DocumentKind(document_type or DocumentKind.RESIDENT_CARD)
    text = DocumentNumber(number).expose()
    key = DocumentNumber(document_key(kind, text)).expose()
    return vault_of(db.get_bind().dialect).index(key, "person.document_number")
