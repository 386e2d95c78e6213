"""The applicant urges (催办): seen in the queue, once per working day, a few times at most."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from servicekit.applications import Actor, advance
from servicekit.clock import shanghai_date
from servicekit.teamwork import rules
from servicekit.teamwork.reviews import TeamReviewed
from servicekit.teamwork.tables import URGING
from servicekit.uniqueness import refusing_a_second
from servicekit.workflow import Workflow


def urge(
    db: Session,
    workflow: Workflow[Any],
    application: TeamReviewed,
    *,
    actor: Actor,
    now: datetime,
    note: str | None = None,
) -> None:
    """Ask that one's own application be decided on.

    Raises:
        WrongState: it does not wait for an officer.
        UrgedToday, UrgedEnough
    """
    workflow.next_state("urge", application.state, actor.role)
    day = rules.urging_day(shanghai_date(now))
    rules.check_urging(application.urged_times, application.urged_on, day)
    application.urged_times += 1
    application.urged_on = day
    row = {"application_id": application.id, "for_day": day, "at": now}
    with refusing_a_second(db, rules.UrgedToday):
        db.execute(insert(URGING).values(**row, ordinal=application.urged_times))
    advance(db, workflow, application, "urge", actor=actor, now=now, note=note)
