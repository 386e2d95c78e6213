"""What officers do with an unemployment registration: an approval founds it, an ending ends it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.certificate import issuing
from employment_registry.events import TELLER
from employment_registry.life import Standing
from employment_registry.life_events import planning
from employment_registry.possible_duplicates import alike, registered
from employment_registry.unemployment import actions, queries, rules
from employment_registry.unemployment.model import UnemploymentApplication, UnemploymentRecord
from servicekit.applications import Actor
from servicekit.errors import ChangedMeanwhile
from servicekit.teamwork.reviews import TeamReviews
from servicekit.uniqueness import refusing_a_second


def approved(
    db: Session, application: UnemploymentApplication, *, actor: Actor, now: datetime
) -> None:
    """审核通过: the person is registered from now on.

    Raises:
        AlreadyUnemployed, Employed: registered meanwhile, under whichever account (ER-07).
        ChangedMeanwhile: that registration has ended since it was met.
    """
    record = UnemploymentRecord(
        applicant_id=application.applicant_id,
        person_key=application.person_key,
        application_id=application.id,
        is_valid=True,
        service_place=application.region or "",
        valid_since=now,
    )
    with refusing_a_second(db, rules.AlreadyUnemployed):
        db.add(record)
    person, filed = application.person_key, application.submitted_at or now
    if not standing.take(db, record, Standing.UNEMPLOYED, since=filed):
        rules.check_standing(standing.find(db, person, application.applicant_id))
        raise ChangedMeanwhile  # never a record without a standing: whoever decides tries again
    actions.announce_record(db, record, now)
    issuing.issue_with_registration(db, application, now=now)
    planning.plan(db, person, now=now)


def end_by_office(
    db: Session,
    application_id: str,
    ending: rules.Ending,
    *,
    actor: Actor,
    now: datetime,
    note: str | None,
    seen: int | None = None,
) -> UnemploymentApplication:
    """The office ends a registration it serves, with a reason.

    Raises:
        ApplicationNotFound, WrongState, ChangedMeanwhile
    """
    application = REVIEWS.find(db, application_id, actor, seen)
    rules.WORKFLOW.next_state("end", application.state, actor.role)
    record = queries.hold_founded_by(db, application.id)
    if record is None:
        raise ChangedMeanwhile
    actions.end(db, record, ending, actor=actor, now=now, note=note)
    return application


REVIEWS: TeamReviews[UnemploymentApplication] = TeamReviews(
    workflow=rules.WORKFLOW,
    model=UnemploymentApplication,
    filed=rules.FILED,
    not_found=rules.ApplicationNotFound,
    teller=TELLER,
    approved=approved,
    alike=alike(registered, lambda _: True),
)
