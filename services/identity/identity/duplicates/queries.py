"""Find accounts that look like one person's, and what is proposed about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, false, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from identity.accounts.model import Account, Person
from identity.accounts.rules import Kind, Standing
from identity.administration.queries import Shown, show
from identity.administration.rules import PROVINCE
from identity.duplicates import rules
from identity.duplicates.model import Resolution
from identity.duplicates.rules import By, Outcome

_COLUMN: dict[By, InstrumentedAttribute[object]] = {
    By.DOCUMENT: Person.document_index,
    By.LIKENESS: Person.likeness_index,
    By.PHONE: Account.phone_index,
}


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts that have something in common, the oldest first."""

    by: By
    accounts: Sequence[Shown]


def list_groups(db: Session, by: By, *, region: str | None, after: str = "") -> list[Group]:
    """Groups of living personal accounts, ordered by their oldest account.

    Args:
        region: of the admin who asks; persons are the province's.
        after: the id of the oldest account of the last group of the page before.
    """
    column = _COLUMN[by]
    first = func.min(Account.id)
    keys = (
        select(column)
        .select_from(Account)
        .join(Person, Person.account_id == Account.id)
        .where(*_LIVING, column.is_not(None), _are_covered_by(region))
        .group_by(column)
        .having(func.count() > 1, first > after)
        .order_by(first)
        .limit(rules.MOST_GROUPS)
    )
    return [_group(db, by, key) for key in db.scalars(keys)]


def traits(account: Account) -> tuple[object, object, object]:
    """What two accounts are compared by; nothing of it can be read."""
    person = account.person
    if person is None:
        return None, None, account.phone_index
    return person.document_index, person.likeness_index, account.phone_index


def count_with_document(db: Session, person: Person) -> int:
    """How many living accounts hold this document."""
    same = select(func.count()).select_from(Account).join(Person)
    return db.scalar(same.where(*_LIVING, Person.document_index == person.document_index)) or 0


def without_likeness(db: Session, *, most: int) -> list[Person]:
    """Living persons whose likeness nobody has indexed; two workers never take the same."""
    wanted = select(Person).join(Account, Account.id == Person.account_id)
    missing = wanted.where(*_LIVING, Person.likeness_index.is_(None)).limit(most)
    return list(db.scalars(missing.with_for_update(of=Person, skip_locked=True)))


def find_resolution(db: Session, resolution_id: str) -> Resolution:
    """The proposal, locked: two admins decide one after the other.

    Raises:
        NoResolution: there is none.
    """
    found = db.get(Resolution, resolution_id, with_for_update=True)
    if found is None:
        raise rules.NoResolution
    return found


def resolutions(region: str | None) -> Select[Resolution]:
    """All of them, for an admin of the province; the page decides how many."""
    return select(Resolution).where(_are_covered_by(region))


def list_open(db: Session, region: str | None) -> Sequence[Resolution]:
    """What waits for a second admin, the oldest first; never many."""
    wanted = resolutions(region).where(Resolution.outcome == Outcome.PROPOSED)
    return db.scalars(wanted.order_by(Resolution.proposed_at).limit(rules.MOST_GROUPS)).all()


def _group(db: Session, by: By, key: object) -> Group:
    wanted = select(Account).join(Person, Person.account_id == Account.id)
    same = wanted.where(*_LIVING, _COLUMN[by] == key).order_by(Account.created_at, Account.id)
    return Group(by, [show(db, account) for account in db.scalars(same.limit(20)).unique()])


def _are_covered_by(region: str | None) -> ColumnElement[bool]:
    return literal(PROVINCE).startswith(region, autoescape=True) if region else false()


_LIVING: tuple[ColumnElement[bool], ...] = (
    Account.kind == Kind.PERSON,
    Account.standing != Standing.CANCELLED,
)
