"""Possible duplicates of an applicant: found by the matter, looked at by an officer, then decided.

A matter says how it finds them and what it shows (``Alike``); the kit keeps what officers said and
lets nothing be approved before (AL-12). Nobody is accused by it: families share telephones, and
two people may have one name and one birthday.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from servicekit.applications import Actor, advance
from servicekit.teamwork import rules
from servicekit.teamwork.rules import Likeness, Verdict
from servicekit.teamwork.tables import MARK

if TYPE_CHECKING:
    from servicekit.teamwork.reviews import TeamReviewed, TeamReviews

T = TypeVar("T", bound="TeamReviewed")


@dataclass(frozen=True, kw_only=True)
class Alike(Generic[T]):
    """How a matter finds possible duplicates.

    Args:
        find: at this moment; at most ``rules.MOST_ALIKE``, in an order that new filings do not
            change.
        show: what an officer may see of parties, by their keys; the applicant's own is the first.
    """

    find: Callable[[Session, T, datetime], Sequence[Likeness]]
    show: Callable[[Session, Sequence[bytes], Actor], Sequence[Mapping[str, Any]]]
    own_key: Callable[[T], bytes]


def name_of(application_id: str, key: bytes) -> str:
    """What another party is called on the page of one application, and on no other's."""
    return sha256(application_id.encode() + b":" + key).hexdigest()[:32]


def check(db: Session, alike: Alike[Any], application: TeamReviewed, now: datetime) -> None:
    """Nothing is approved before all of them were looked at.

    Raises:
        DuplicatesUnseen, HeldByDuplicate
    """
    found = alike.find(db, application, now)
    if found:
        marks = _marks(db, application.id)
        rules.check_seen(found, {other: mark["verdict"] for other, mark in marks.items()})


def side_by_side(
    db: Session, alike: Alike[T], application: T, actor: Actor, now: datetime
) -> dict[str, Any]:
    """The applicant and every possible duplicate, with what officers said so far."""
    found = alike.find(db, application, now)
    marks = _marks(db, application.id) if found else {}
    keys = [alike.own_key(application), *(each.key for each in found)]
    own, *others = alike.show(db, keys, actor)
    unsaid = dict.fromkeys(("verdict", "reason", "marked_by", "marked_at"))
    return {
        "own": own,
        "items": [
            {"other": each.other, "by": each.by, "party": shown, **marks.get(each.other, unsaid)}
            for each, shown in zip(found, others, strict=True)
        ],
    }


def mark(
    db: Session,
    reviews: TeamReviews[T],
    application_id: str,
    other: str,
    verdict: Verdict,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    seen: int | None = None,
) -> T:
    """Say of one of them whether it is the applicant once more; the last word counts.

    Raises:
        ClaimedByOther, AssignedToOther, WrongState, DuplicateNotFound
    """
    application = reviews.find(db, application_id, actor, seen)
    reviews.workflow.next_state("mark-duplicates", application.state, actor.role)
    reviews.check(db, application, "claim", actor=actor, now=now)
    found = reviews.alike.find(db, application, now) if reviews.alike else ()
    if other not in {each.other for each in found}:
        raise rules.DuplicateNotFound
    note = f"{verdict.value} {other}：{reason}"
    advance(db, reviews.workflow, application, "mark-duplicates", actor=actor, now=now, note=note)
    said = {"verdict": verdict, "reason": reason, "marked_by": actor.id, "marked_at": now}
    place = {"business": reviews.workflow.name, "application_id": application.id, "other": other}
    row = insert(MARK).values(place | said)
    db.execute(row.on_conflict_do_update(index_elements=["application_id", "other"], set_=said))
    return application


def _marks(db: Session, application_id: str) -> dict[str, dict[str, Any]]:
    column = MARK.c
    said = select(column.other, column.verdict, column.reason, column.marked_by, column.marked_at)
    rows = db.execute(said.where(column.application_id == application_id)).mappings()
    return {row["other"]: dict(row) for row in rows}
