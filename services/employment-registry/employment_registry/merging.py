"""What becomes of a person's filings when two accounts of theirs are put together (ID-05)."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Update, exists, select, union_all, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from employment_registry.certificate.model import Certificate, CertificateApplication
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from employment_registry.life_events.model import PlannedEnding
from employment_registry.life_events.planning import weigh_again
from employment_registry.standing import PersonStanding
from employment_registry.unemployment.model import UnemploymentApplication, UnemploymentRecord
from servicekit import logs
from servicekit.db import unique_violation

# In the order in which everybody takes them (standing.py), after the standing.
OWNED: Final[tuple[Any, ...]] = (
    FlexibleEmploymentRecord,
    UnemploymentRecord,
    PlannedEnding,
    FlexibleEmploymentApplication,
    UnemploymentApplication,
    CertificateApplication,
    Certificate,
)
log = logs.get_logger()


def follow(db: Session, *, ended: str, stays: str) -> None:
    """What belonged to the account that ended belongs to the one that stays; twice is once.

    Where both have what only one may have, under two documents of the person, it stays where it
    is: which of the two holds is for an officer to say.
    """
    standings = update(PersonStanding).where(PersonStanding.applicant_id == ended)
    _move(db, standings.values(applicant_id=stays))
    # One that could not follow is nobody's until the other has ended (know_owners).
    db.execute(standings.values(applicant_id=None))
    for model in OWNED:
        _move(db, update(model).where(model.applicant_id == ended).values(applicant_id=stays))
    weigh_again(db, stays)


def know_owners(db: Session, *, most: int) -> None:
    """Tell the account of registrations that are nobody's, where it has no other (ER-07).

    Two accounts that were put together left such, and so did the version before 0025, which knew
    no accounts here, as long as it ran beside the next.
    """
    record = union_all(
        select(UnemploymentRecord.id, UnemploymentRecord.applicant_id),
        select(FlexibleEmploymentRecord.id, FlexibleEmploymentRecord.applicant_id),
    ).subquery()
    other = aliased(PersonStanding)
    wanted = (
        select(record)
        .join(PersonStanding, PersonStanding.record_id == record.c.id)
        .where(PersonStanding.applicant_id.is_(None))
        .where(~exists().where(other.applicant_id == record.c.applicant_id))
        .order_by(record.c.id)  # as everybody takes them who takes more than one
        .limit(most)
    )
    for row in db.execute(wanted).all():
        its = update(PersonStanding).where(PersonStanding.record_id == row.id)
        _move(db, its.values(applicant_id=row.applicant_id))


def _move(db: Session, rows: Update) -> None:
    try:
        with db.begin_nested():
            db.execute(rows)
    except IntegrityError as error:
        if unique_violation(error) is None:
            raise
        table = rows.entity_description["name"]
        log.warning("an account has what only one may have", table=table)
