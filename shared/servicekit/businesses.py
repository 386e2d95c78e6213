"""The businesses a service offers to units, declared once and announced to employer-auth (EA-06).

A service writes in its ``app.py``::

    declare(FACTS, JOBS, Business("recruitment.jobs", "招聘管理", unit_level=5))

and marks its routes ``access(..., grants="recruitment.jobs:submit")``. The events worker announces
``<service>.business.published.v1`` when a declaration is new or changed, and again once a day: who
begins to listen later hears it too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final

from marshmallow import Schema, fields
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from servicekit.columns import EVENT_SEQUENCE, SERIAL
from servicekit.facts import Facts
from servicekit.jobs import JobContext, Jobs
from servicekit.outbox import FACT, announce

ACTIONS: Final = ("view", "draft", "submit", "withdraw", "sign")
LOOK_EVERY: Final = timedelta(seconds=30)
SAY_AGAIN: Final = timedelta(days=1)
# Whoever starts together with us may not listen yet when we speak first.
SAY_TWICE: Final = timedelta(seconds=30)
_NO_DAY: Final = date(2000, 1, 1)  # what was announced last is kept as a number, for all days


@dataclass(frozen=True, slots=True)
class Business:
    """One business a unit may grant to its agents.

    Args:
        code: ``<service>.<business>``, as tokens name it.
        title: the Chinese name people choose by.
        actions: what may be granted in it.
        person_level: the least HRSS level of the agent.
        unit_level: the least province level of the unit: 2 (not verified), 3, 4, 5.
        unit_account: may the unit's own account do it without an agent (EA-01)?
        retired: not offered any more; grants of it are worth nothing.
    """

    code: str
    title: str
    actions: tuple[str, ...] = ACTIONS
    person_level: int = 2
    unit_level: int = 2
    unit_account: bool = False
    retired: bool = False


class BusinessPublished(Schema):
    """A service offers a business to units, as it is declared from now on."""

    declared: tuple[Business, ...] = ()  # by the service whose fact it is

    code = fields.Str(required=True)
    title = fields.Str(required=True)
    actions = fields.List(fields.Str(), required=True)
    person_level = fields.Int(required=True)
    unit_level = fields.Int(required=True)
    unit_account = fields.Bool(required=True)
    retired = fields.Bool(required=True)


def declare(facts: Facts, jobs: Jobs, *businesses: Business) -> tuple[Business, ...]:
    """Add the fact and the job that announces these businesses; gives them back.

    Raises:
        ValueError: a code is another service's, or is written twice.
    """
    codes = [business.code for business in businesses]
    if len(set(codes)) < len(codes) or any(c.partition(".")[0] != facts.service for c in codes):
        raise ValueError(f"{facts.service}: its businesses are {facts.service}.…, each once")
    own = {"__doc__": _SENTENCE, "declared": businesses}
    schema = type("ServiceBusinessPublished", (BusinessPublished,), own)
    example = asdict(businesses[0]) | {"actions": list(businesses[0].actions)}
    facts.fact("business.published", v=1, example=example)(schema)

    @jobs.every(LOOK_EVERY, name="publish-businesses")
    def publish_businesses(context: JobContext) -> None:
        for business in businesses:
            with context.database.transaction() as db:
                publish(db, facts, schema, business, now=context.clock.now())

    return businesses


_SENTENCE: Final = (BusinessPublished.__doc__ or "").strip()


def publish(
    db: Session, facts: Facts, schema: type[Schema], business: Business, *, now: datetime
) -> None:
    """Announce a business unless others have heard of it as it is, lately."""
    said = asdict(business) | {"actions": list(business.actions)}
    digest = sha256(json.dumps(said, sort_keys=True).encode()).digest()
    content = int.from_bytes(digest[:7])
    values = {"name": f"business:{business.code}", "day": _NO_DAY, "last": content}
    known = select(SERIAL.c.last).where(SERIAL.c.name == values["name"])
    counted = select(EVENT_SEQUENCE.c.last, EVENT_SEQUENCE.c.last_time).where(
        EVENT_SEQUENCE.c.matter == "business",
        EVENT_SEQUENCE.c.stream == FACT,
        EVENT_SEQUENCE.c.subject == business.code,
    )
    told = db.execute(counted).one_or_none()
    if told is not None and db.scalar(known) == content:
        wait = SAY_TWICE if told.last == 1 else SAY_AGAIN
        if now - told.last_time < wait:
            return
    row = insert(SERIAL).values(**values)
    db.execute(row.on_conflict_do_update(index_elements=["name", "day"], set_={"last": content}))
    announce(db, facts.of(schema, subject=business.code, now=now, **said))
