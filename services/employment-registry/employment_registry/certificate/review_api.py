"""HTTP for officers: the queue of their region, decisions, and revoking what is wrong."""

from __future__ import annotations

from employment_registry.certificate import review_actions, rules, schemas
from employment_registry.certificate.model import CertificateApplication
from employment_registry.certificate.review_actions import REVIEWS
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.review_routes import Shown, add_reviews
from servicekit.web.session import actor, now, transaction
from servicekit.workflow import Role

reviews = Blueprint(
    "certificate-reviews",
    __name__,
    url_prefix="/certificate-reviews",
    description="就业创业证：审核",
)
add_reviews(
    reviews,
    REVIEWS,
    Shown(
        row=schemas.CertificateReviewRowSchema,
        view=schemas.CertificateReviewSchema,
        example_row=schemas.EXAMPLE_REVIEW_ROW,
        example=schemas.EXAMPLE_REVIEW,
        reasons=rules.REASONS,
        correctable=tuple(f"/certificate/{name}" for name in rules.STATEMENT_FIELDS),
        revealable=("person_name", "document_number", "born_on", "contact_phone"),
    ),
)


@reviews.route("/<application_id>/revoke", methods=["POST"])
@access(Role.REVIEWER, business=rules.WORKFLOW.name)
@reviews.arguments(schemas.RevocationSchema, example={"reason": "冒用他人身份办理"})
@reviews.response(200, schemas.CertificateReviewSchema, example=schemas.EXAMPLE_REVIEW)
def revoke(body: dict[str, str], application_id: str) -> CertificateApplication:
    """Revoke the certificate of an application (作废).

    409 `wrong-state`, `changed-meanwhile`: there is none in force any more.
    """
    with transaction() as db:
        return versions.tag(
            review_actions.revoke(
                db, application_id, actor=actor(), now=now(), reason=body["reason"]
            )
        )
