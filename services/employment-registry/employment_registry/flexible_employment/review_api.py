"""HTTP for officers: the queue of their region, and what they decide."""

from __future__ import annotations

from employment_registry.flexible_employment import review_schemas, rules
from employment_registry.flexible_employment.opening_rules import GUIDES
from employment_registry.flexible_employment.review_actions import REVIEWS
from employment_registry.parts import parts
from employment_registry.person_schemas import (
    EXAMPLE_ENTRY,
    EXAMPLE_PARTY,
    PartySchema,
    ready_reason_schema,
)
from servicekit.web.api import Blueprint
from servicekit.web.exports import add_exports
from servicekit.web.review_routes import Shown, add_reviews

reviews = Blueprint(
    "flexible-employment-reviews",
    __name__,
    url_prefix="/flexible-employment-reviews",
    description="灵活就业登记：审核",
)
add_reviews(
    reviews,
    REVIEWS,
    Shown(
        row=review_schemas.ReviewRowSchema,
        view=review_schemas.ReviewSchema,
        example_row=review_schemas.EXAMPLE_REVIEW_ROW,
        example=review_schemas.EXAMPLE_REVIEW,
        reasons=rules.REASONS,
        correctable=tuple(f"/employment/{name}" for name in rules.EMPLOYMENT_FIELDS),
        revealable=("person_name", "document_number", "born_on", "contact_phone"),
        party=PartySchema,
        example_party=EXAMPLE_PARTY,
        reason=ready_reason_schema("FlexibleEmployment", list(GUIDES.values())),
        example_reason={"rests_on": EXAMPLE_ENTRY},
    ),
)
add_exports(reviews, REVIEWS, lambda: parts().exports)
