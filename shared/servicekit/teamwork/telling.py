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


class ReviewExportEnded(Schema):
    """The spreadsheet an officer asked for is ready, or will not be made."""

    officer_id = fields.Str(required=True)
    business = fields.Str(required=True)
    export_id = fields.Str(required=True)
    state = fields.Str(required=True, validate=validate.OneOf(["ready", "failed"]))


@dataclass(frozen=True, slots=True)
class Teller:
    """Announces both facts in its service's name."""

    facts: Facts
    schema: type[Schema]
    export_schema: type[Schema]

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

    def tell_of_export(
        self,
        db: Session,
        officer_id: str,
        *,
        business: str,
        export_id: str,
        state: str,
        now: datetime,
    ) -> None:
        """In the transaction that ends the export, so that it is told once (AL-06)."""
        values = {
            "officer_id": officer_id,
            "business": business,
            "export_id": export_id,
            "state": state,
        }
        announce(db, self.facts.of(self.export_schema, subject=export_id, now=now, **values))


def declare(facts: Facts) -> Teller:
    """Add both facts to those of a service."""
    example = {
        "officer_id": "01890a5d-ac96-774b-bcce-b302099a8058",
        "matter": "transferred",
        "business": f"{facts.service}.something",
        "application_id": "01a1fcb7-993f-74cb-be82-b9befbd64970",
        "number": "440106-01-20260929-000001-2",
    }
    own = type("ServiceReviewHanded", (ReviewHanded,), {"__doc__": ReviewHanded.__doc__})
    facts.fact("review.handed", v=1, example=example)(own)
    ended = {name: example[name] for name in ("officer_id", "business")}
    ended |= {"export_id": "01a1fcb7-9984-75ed-adc5-5ce1f0dc9fec", "state": "ready"}
    export = type(
        "ServiceExportEnded", (ReviewExportEnded,), {"__doc__": ReviewExportEnded.__doc__}
    )
    facts.fact("review.export-ended", v=1, example=ended)(export)
    return Teller(facts, own, export)
