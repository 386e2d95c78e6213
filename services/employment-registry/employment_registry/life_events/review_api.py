"""HTTP for officers: the queue of objections, and what is decided on them."""

from __future__ import annotations

from employment_registry.life_events import rules, schemas
from employment_registry.life_events.opening_rules import GUIDE
from employment_registry.life_events.review_actions import REVIEWS
from employment_registry.parts import parts
from employment_registry.person_schemas import EXAMPLE_ENTRY, ready_reason_schema
from servicekit.web.api import Blueprint
from servicekit.web.exports import add_exports
from servicekit.web.review_routes import Shown, add_reviews

reviews = Blueprint(
    "ending-reviews",
    __name__,
    url_prefix="/ending-reviews",
    description="终止登记申诉：审核",
)
add_reviews(
    reviews,
    REVIEWS,
    Shown(
        row=schemas.EndingReviewSchema,
        view=schemas.EndingReviewSchema,
        example_row=schemas.EXAMPLE_REVIEW,
        example=schemas.EXAMPLE_REVIEW,
        reasons=rules.REASONS,
        correctable=("/explanation",),
        revealable=("person_name", "document_number", "born_on"),
        reason=ready_reason_schema("Ending", [GUIDE]),
        example_reason={"rests_on": EXAMPLE_ENTRY},
    ),
)
add_exports(reviews, REVIEWS, lambda: parts().exports)
