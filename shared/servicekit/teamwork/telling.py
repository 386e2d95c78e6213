"""An officer is told that an application was handed to them, asked about, or answered.

A service writes ``TELLER = telling.declare(FACTS)`` in its ``events.py``; identity hears the fact
and writes the message. It names accounts and numbers of applications, nobody's data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from servicekit.applications import Application
from servicekit.facts import Facts
from servicekit.outbox import announce


class Matter(StrEnum):
    """What an officer is told of."""

    TRANSFERRED = "transferred"  # 转办
    ADVICE = "advice"  # 加签
    JOINT = "joint"  # 会签
    ANSWERED = "answered"  # an opinion was given


class ReviewHanded(Schema):
    """An application waits for an officer's hand or word, or a colleague gave theirs."""

    officer_id = fields.Str(required=True)
    matter = fields.Str(required=True, validate=validate.OneOf([each.value for each in Matter]))
    business = fields.Str(required=True)
    application_id = fields.Str(required=True)
    number = fields.Str(required=True, allow_none=True)


@dataclass(frozen=True, slots=True)
class Teller:
    """Announces the fact in its service's name."""

    facts: Facts
    schema: type[Schema]

    def tell(
        self,
        db: Session,
        officer_id: str,
        matter: Matter,
        *,
        business: str,
        application: Application,
        now: datetime,
    ) -> None:
        """In the transaction of what is told."""
        values = {
            "officer_id": officer_id,
            "matter": matter.value,
            "business": business,
            "application_id": application.id,
            "number": application.number,
        }
        announce(db, self.facts.of(self.schema, subject=application.id, now=now, **values))


def declare(facts: Facts) -> Teller:
    """Add the fact to those of a service."""
    example = {
        "officer_id": "01890a5d-ac96-774b-bcce-b302099a8058",
        "matter": "transferred",
        "business": f"{facts.service}.something",
        "application_id": "01a1fcb7-993f-74cb-be82-b9befbd64970",
        "number": "440106-01-20260929-000001-2",
    }
    own = type("ServiceReviewHanded", (ReviewHanded,), {"__doc__": ReviewHanded.__doc__})
    facts.fact("review.handed", v=1, example=example)(own)
    return Teller(facts, own)
