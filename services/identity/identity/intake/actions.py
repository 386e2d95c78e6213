"""Open accounts for the rows of a file; what cannot be taken in is named by its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts import actions as accounts
from identity.accounts.model import Account, LoginName, Person
from identity.accounts.rules import Kind, Standing, document_key, login_key
from identity.intake import rules
from servicekit.clock import shanghai_date
from servicekit.errors import FieldError
from servicekit.personal import DocumentNumber


@dataclass(slots=True)
class Report:
    """What became of the rows; it names lines and fields, never what stands in them."""

    taken: int = 0
    there_already: int = 0
    twice: int = 0  # further accounts of persons who have one: an admin settles them (ID-05)
    refused: list[tuple[int, FieldError]] = field(default_factory=list)


def take_in(
    db: Session,
    rows: Iterable[tuple[int, Mapping[str, str | None]]],
    report: Report,
    *,
    now: datetime,
) -> None:
    """Open an account for every good row, in the caller's transaction.

    Running a file again changes nothing: a row whose login name and document are here is there
    already. A person with two rows gets two accounts, the later one marked.

    Args:
        rows: line number and row.
    """
    for line, row in rows:
        good, wrong = rules.read_row(row, shanghai_date(now))
        if good is not None:
            wrong = _take(db, good, report, now=now)
        report.refused += [(line, each) for each in wrong]


def _take(db: Session, row: rules.Row, report: Report, *, now: datetime) -> list[FieldError]:
    identity = row.identity
    key = DocumentNumber(document_key(identity.document_type, identity.document_number))
    name = LoginName(login_key(row.login_name))
    held = db.scalar(select(Account).where(Account.login_name_index == name))
    same = select(Person).join(Account, Account.id == Person.account_id)
    living = (Person.document_index == key, Account.standing != Standing.CANCELLED)
    holders = set(db.scalars(same.where(*living).with_only_columns(Person.account_id)))
    if held is not None:
        if held.id in holders:
            report.there_already += 1
            return []
        return [FieldError("/login_name", "username-taken", "用户名已被使用")]
    account = accounts.open_account(
        db,
        kind=Kind.PERSON,
        login_name=row.login_name,
        password_hash=rules.NO_PASSWORD,
        phone=row.phone,
        now=now,
    )
    account.must_change_password = True
    account.person = accounts.open_person(
        db, account, row.name, identity, key, migrated_twice=bool(holders)
    )
    report.taken += 1
    report.twice += bool(holders)
    return []
