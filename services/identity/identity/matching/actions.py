"""Answer who asks whether somebody is registered: within limits, and never telling why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.limits import Counts
from identity.matching import queries, rules


@dataclass(frozen=True, slots=True)
class Asked:
    """What a unit knows of the person it wants to bind (EA-02)."""

    login_name: str = field(repr=False)
    name: str = field(repr=False)
    document_number: str = field(repr=False)


def match(
    db: Session, asked: Asked, *, client_id: str, allowance: int, counts: Counts, now: datetime
) -> Account:
    """The account of this person, for a service that asks on behalf of a unit.

    Args:
        allowance: how often the client may ask in an hour.

    Raises:
        TooManyMatches: the client, or anybody about this login name, asked too often.
        NotMatched: in every other case, with the same answer after the same work.
    """
    wait = counts.take((rules.of_client(allowance),), client_id, now=now)
    wait = wait or counts.take((rules.PER_NAME,), asked.login_name.casefold(), now=now)
    if wait is not None:
        raise rules.TooManyMatches(retry_after=wait)
    found = queries.find_person(
        db, login_name=asked.login_name, number=asked.document_number, name=asked.name
    )
    if found is None:
        raise rules.NotMatched
    return found.account


def count_told(counts: Counts, who: str, *, now: datetime) -> None:
    """Somebody is about to be told that a name or a number is taken: so often, and no oftener.

    Args:
        who: the phone that showed a code, or the person who was proved.

    Raises:
        ToldTooOften: nothing is told any more for a while.
    """
    wait = counts.take((rules.TOLD,), who, now=now)
    if wait is not None:
        raise rules.ToldTooOften(retry_after=wait)
