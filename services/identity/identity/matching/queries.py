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
    wanted = select(Account).where(Account.login_name_index == LoginName(login_key(login_name)))
    account = db.scalar(wanted)
    person = None if account is None else account.person
    index = _index(db, person, number)
    holders = count_holders(db, index)
    held = b"" if person is None else index_of(person)
    fits = hmac.compare_digest(held, index)
    given = PersonName(name or "").expose().casefold()
    known = "" if person is None else person.name.expose().casefold()
    fits &= hmac.compare_digest(known.encode(), given.encode()) or name is None
    if account is None or person is None or not fits:
        return None
    if account.kind is not Kind.PERSON or not may_act(account.standing):
        return None
    return Matched(account, holders)


def index_of(person: Person) -> bytes:
    """The blind index of the person's document, as it is stored."""
    read: Any = person.document_index  # the column reads as bytes, which say nothing
    return bytes(read)


def count_holders(db: Session, index: bytes) -> int:
    """How many accounts that are not cancelled hold the document of this blind index (ID-05)?"""
    same = (Person.document_index == index, Account.standing != Standing.CANCELLED)
    held = select(func.count()).select_from(Person).join(Account, Account.id == Person.account_id)
    return db.scalar(held.where(*same)) or 0


def _index(db: Session, person: Person | None, number: str) -> bytes:
    kind = DocumentKind.RESIDENT_CARD if person is None else DocumentKind(person.document_type)
    text = DocumentNumber(number).expose()
    key = DocumentNumber(document_key(kind, text)).expose()
    return vault_of(db.get_bind().dialect).index(key, "person.document_number")
