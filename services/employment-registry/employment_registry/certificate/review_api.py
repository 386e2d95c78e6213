"""HTTP for officers: the queue of their region, decisions, and revoking what is wrong."""

from __future__ import annotations

from typing import Any

from employment_registry.certificate import queries, review_actions, rules, schemas
from employment_registry.certificate.model import Certificate, CertificateApplication
from employment_registry.certificate.opening_rules import GUIDES
from employment_registry.certificate.review_actions import REVIEWS
from employment_registry.parts import parts
from employment_registry.person_schemas import (
    EXAMPLE_ENTRY,
    EXAMPLE_PARTY,
    PartySchema,
    ready_reason_schema,
)
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.exports import add_exports
from servicekit.web.filing import page as one_page
from servicekit.web.paging import Page, page_of, page_schema
from servicekit.web.review_routes import Shown, add_reviews
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

reviews = Blueprint(
    "certificate-reviews",
    __name__,
    url_prefix="/certificate-reviews",
    description="就业创业证：审核",
)
issued = Blueprint(
    "issued-certificates",
    __name__,
    url_prefix="/issued-certificates",
    description="就业创业证：已签发的证件",
)
officer = access(Role.REVIEWER, business=rules.WORKFLOW.name)
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
        party=PartySchema,
        example_party=EXAMPLE_PARTY,
        reason=ready_reason_schema("Certificate", list(GUIDES.values())),
        example_reason={"rests_on": EXAMPLE_ENTRY},
    ),
)
add_exports(reviews, REVIEWS, lambda: parts().exports)


@reviews.route("/<application_id>/revoke", methods=["POST"])
@officer
@reviews.arguments(schemas.RevocationSchema, example={"reason": "冒用他人身份办理"})
@reviews.response(200, schemas.CertificateReviewSchema, example=schemas.EXAMPLE_REVIEW)
def revoke(body: dict[str, str], application_id: str) -> CertificateApplication:
    """Revoke the certificate of an application (作废).

    409 `wrong-state`, `changed-meanwhile`: there is none in force any more.
    """
    seen, reason = versions.expected_version(required=False), body["reason"]
    with transaction() as db:
        return versions.tag(
            review_actions.revoke(
                db, application_id, actor=actor(), now=now(), reason=reason, seen=seen
            )
        )


@issued.route("", methods=["GET"])
@officer
@issued.arguments(schemas.IssuedFiltersSchema, location="query")
@issued.response(200, page_schema(schemas.IssuedSchema), example=one_page(schemas.EXAMPLE_ISSUED))
def list_issued(query: tuple[str, Page]) -> Any:
    """The certificates of a number in the officer's region, those before it too (按证号查询)."""
    number, page = query
    with reading() as db:
        found = queries.in_region(actor()).where(Certificate.number == number)
        return page_of(db, found, page, by=queries.NEWEST)


@issued.route("/<certificate_id>/revoke", methods=["POST"])
@officer
@issued.arguments(schemas.RevocationSchema, example={"reason": "冒用他人身份办理"})
@issued.response(200, schemas.IssuedSchema, example=schemas.EXAMPLE_ISSUED | schemas.REVOKED)
def revoke_issued(body: dict[str, str], certificate_id: str) -> Certificate:
    """Revoke a certificate, whether it came by an application or with a registration (作废).

    404 `certificate-not-found`; 409 `changed-meanwhile`: it is not in force any more.
    """
    with transaction() as db:
        return review_actions.revoke_issued(
            db, certificate_id, actor=actor(), now=now(), reason=body["reason"]
        )
