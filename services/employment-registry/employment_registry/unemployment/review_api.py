"""HTTP for officers: the queue of their region, decisions, and ending what they serve."""

from __future__ import annotations

from typing import Any

from employment_registry.parts import parts
from employment_registry.person_schemas import (
    EXAMPLE_ENTRY,
    EXAMPLE_PARTY,
    PartySchema,
    ready_reason_schema,
)
from employment_registry.unemployment import review_actions, rules, schemas
from employment_registry.unemployment.model import UnemploymentApplication
from employment_registry.unemployment.opening_rules import GUIDE
from employment_registry.unemployment.review_actions import REVIEWS
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.exports import add_exports
from servicekit.web.review_routes import Shown, add_reviews
from servicekit.web.session import actor, now, transaction
from servicekit.workflow import Role

reviews = Blueprint(
    "unemployment-reviews",
    __name__,
    url_prefix="/unemployment-reviews",
    description="失业登记：审核",
)
add_reviews(
    reviews,
    REVIEWS,
    Shown(
        row=schemas.UnemploymentReviewRowSchema,
        view=schemas.UnemploymentReviewSchema,
        example_row=schemas.EXAMPLE_REVIEW_ROW,
        example=schemas.EXAMPLE_REVIEW,
        reasons=rules.REASONS,
        correctable=tuple(f"/unemployment/{name}" for name in rules.STATEMENT_FIELDS),
        revealable=("person_name", "document_number", "born_on", "contact_phone"),
        party=PartySchema,
        example_party=EXAMPLE_PARTY,
        reason=ready_reason_schema("Unemployment", [GUIDE]),
        example_reason={"rests_on": EXAMPLE_ENTRY},
    ),
)
add_exports(reviews, REVIEWS, lambda: parts().exports)


@reviews.route("/<application_id>/end", methods=["POST"])
@access(Role.REVIEWER, business=rules.WORKFLOW.name)
@reviews.arguments(
    schemas.UnemploymentOfficeEndingSchema, example={"ending": "no-contact", "note": "多次联系未果"}
)
@reviews.response(200, schemas.UnemploymentReviewSchema, example=schemas.EXAMPLE_REVIEW)
def end(body: dict[str, Any], application_id: str) -> UnemploymentApplication:
    """End a registration the office serves, with the reason (终止登记).

    409 `wrong-state`: it is not in force.
    """
    seen, note = versions.expected_version(required=False), body["note"]
    ending = rules.Ending(body["ending"])
    with transaction() as db:
        return versions.tag(
            review_actions.end_by_office(
                db, application_id, ending, actor=actor(), now=now(), note=note, seen=seen
            )
        )
