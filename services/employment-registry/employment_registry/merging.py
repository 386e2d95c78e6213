"""What becomes of a person's filings when two accounts of theirs are put together (ID-05)."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

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

# In the order in which everybody takes them (standing.py).
OWNED: Final[tuple[Any, ...]] = (
    PersonStanding,
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
    for model in OWNED:
        moved = update(model).where(model.applicant_id == ended).values(applicant_id=stays)
        try:
            with db.begin_nested():
                db.execute(moved)
        except IntegrityError as error:
            if unique_violation(error) is None:
                raise
            log.warning("two accounts have what only one may have", table=model.__tablename__)
    weigh_again(db, stays)
