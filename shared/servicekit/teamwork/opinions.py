"""Questions to colleagues about one application, and their answers (加签, 会签); AL-10.

``awaited`` on the application counts those that an approval waits for. Whoever asks, answers or
withdraws writes that row too, so its version decides between them and a decision made at once,
and a check in the database keeps anything from being approved while it is above zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.orm import Session

from servicekit.columns import new_id
from servicekit.teamwork import rules
from servicekit.teamwork.rules import Answer, OpinionKind
from servicekit.teamwork.tables import OPINION
from servicekit.uniqueness import refusing_a_second

_TABLE = OPINION.c


def is_open() -> ColumnElement[bool]:
    """Neither answered nor withdrawn."""
    return _TABLE.answered_at.is_(None) & _TABLE.ended_at.is_(None)


def ask(
    db: Session,
    application_id: str,
    kind: OpinionKind,
    colleagues: Sequence[str],
    *,
    business: str,
    asked_by: str,
    question: str,
    now: datetime,
) -> None:
    """One row per colleague.

    Raises:
        AlreadyAsked: one of them has an open question about it; the database says so.
    """
    rows = [
        {
            "id": new_id(),
            "business": business,
            "application_id": application_id,
            "kind": kind,
            "asked_by": asked_by,
            "asked_of": colleague,
            "asked_at": now,
            "question": question,
        }
        for colleague in colleagues
    ]
    with refusing_a_second(db, rules.AlreadyAsked):
        db.execute(insert(OPINION), rows)


def hold_awaited(db: Session, application_id: str, opinion_id: str) -> Any:
    """One opinion that an approval waits for, held until the transaction ends.

    Raises:
        OpinionNotFound
    """
    wanted = select(OPINION).where(
        _TABLE.id == opinion_id, _TABLE.application_id == application_id, _TABLE.ended_at.is_(None)
    )
    found = db.execute(wanted.with_for_update()).one_or_none()
    if found is None or not rules.waits(found.kind, found.answer):
        raise rules.OpinionNotFound
    return found


def hold_asked_of(db: Session, application_id: str, opinion_id: str, officer_id: str) -> Any:
    """The same, when it is asked of this officer.

    Raises:
        OpinionNotFound
    """
    found = hold_awaited(db, application_id, opinion_id)
    if found.asked_of != officer_id:
        raise rules.OpinionNotFound
    return found


def answer(db: Session, opinion_id: str, said: Answer, words: str | None, now: datetime) -> None:
    """Put the answer beside the question, for ever."""
    given = {"answer": said, "said": words, "answered_at": now}
    db.execute(update(OPINION).where(_TABLE.id == opinion_id).values(**given))


def end(db: Session, now: datetime, *which: ColumnElement[bool]) -> None:
    """Ask no more; the rows stay."""
    db.execute(update(OPINION).where(_TABLE.ended_at.is_(None), *which).values(ended_at=now))


def list_of(db: Session, application_id: str) -> Sequence[Any]:
    """Everything that was asked and said about an application, oldest first."""
    asked = select(OPINION).where(_TABLE.application_id == application_id)
    return db.execute(asked.order_by(_TABLE.asked_at, _TABLE.id)).all()


def asked_of(officer_id: str, business: str) -> Any:
    """The ids of the applications that wait for an officer's word."""
    mine = select(_TABLE.application_id).where(
        _TABLE.asked_of == officer_id, _TABLE.business == business
    )
    return mine.where(is_open())
