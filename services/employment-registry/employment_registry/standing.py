"""Employed or unemployed: nobody is both, which the database itself keeps (ER-07).

A row per person who is registered in either way, one per document and one per account: two accounts
of a person that were put together may have had two documents (ID-05). Whoever founds, changes or
ends a registration takes this row first, so that two life events of one person never overlook each
other. Then come registrations and announced endings, applications, the histories of all that move,
and certificates last, so that nobody waits for one who waits for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, String, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from employment_registry.life import Standing
from employment_registry.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, words
from servicekit.personal import DocumentNumber
from servicekit.vault import BlindIndex

PersonKey = DocumentNumber | bytes


class PersonStanding(Base):
    """The one registration of a person that is in force.

    ``since`` is the moment of its filing, when registers were asked: what happened before that was
    weighed then, and what began after it may end the registration (decision 0013).
    """

    __tablename__ = "person_standing"

    person_key: Mapped[bytes] = mapped_column(
        BlindIndex("person.document_number"), primary_key=True, info=PERSONAL
    )
    applicant_id: Mapped[str | None] = mapped_column(String(80), unique=True, info=NOT_PERSONAL)
    standing: Mapped[Standing] = mapped_column(words(Standing), info=NOT_PERSONAL)
    record_id: Mapped[str] = mapped_column(String(36), unique=True, info=NOT_PERSONAL)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)


def theirs(model: Any, person_key: PersonKey, applicant_id: str) -> ColumnElement[bool]:
    """What is a person's: by their document under any account, or by their account."""
    return or_(model.person_key == person_key, model.applicant_id == applicant_id)


def find(db: Session, person_key: PersonKey, applicant_id: str) -> Standing | None:
    """How the person is registered now; None when in no way."""
    own = theirs(PersonStanding, person_key, applicant_id)
    return db.scalar(select(PersonStanding.standing).where(own))


def hold(db: Session, record_id: str) -> PersonStanding | None:
    """That a registration is in force, held until the transaction ends."""
    held = select(PersonStanding).where(PersonStanding.record_id == record_id)
    return db.scalar(held.with_for_update())


def hold_all(db: Session, own: ColumnElement[bool]) -> Sequence[PersonStanding]:
    """What is in force of a person's registrations, held, in one order by everybody.

    One, but where two accounts were put together that had one each.
    """
    held = select(PersonStanding).where(own).order_by(PersonStanding.record_id)
    return db.scalars(held.with_for_update()).all()


def take(db: Session, record: Any, standing: Standing, *, since: datetime) -> bool:
    """Register the person in this way; False when they are registered in any way already.

    Args:
        record: the registration, with its person's key and account.
        since: when it was filed.
    """
    taken = insert(PersonStanding).values(
        person_key=record.person_key,
        applicant_id=record.applicant_id,
        standing=standing,
        record_id=record.id,
        since=since,
    )
    free = taken.on_conflict_do_nothing().returning(PersonStanding.record_id)
    return db.execute(free).one_or_none() is not None


def leave(db: Session, record_id: str) -> None:
    """The registration is over."""
    db.execute(delete(PersonStanding).where(PersonStanding.record_id == record_id))
