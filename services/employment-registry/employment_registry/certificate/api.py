"""HTTP for persons: their certificate, its paper, and applications for it."""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from employment_registry.certificate import actions, paper, queries, rules, schemas
from employment_registry.certificate.model import Certificate, CertificateApplication
from employment_registry.certificate.opening_rules import GUIDES
from employment_registry.certificate.signing import facts_of
from employment_registry.checks.api import add_checks
from employment_registry.checks.schemas import EXAMPLE_CHECKING
from employment_registry.guide_links import link_guides
from employment_registry.parts import asking_person, parts
from employment_registry.person_schemas import LabelSchema
from servicekit.clock import shanghai_date
from servicekit.web import versions
from servicekit.web.access import access, public
from servicekit.web.api import Blueprint
from servicekit.web.filing import page as one_page
from servicekit.web.filing_routes import Form, add_filings
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

applications = Blueprint(
    "certificate-applications",
    __name__,
    url_prefix="/certificate-applications",
    description="就业创业证：申领/补换记录",
)
certificates = Blueprint(
    "certificates", __name__, url_prefix="/certificates", description="我的就业创业证"
)
own = access(Role.APPLICANT, level=2, kinds=("person",))
link_guides(applications, GUIDES.values())
SEXES = {"male": "男", "female": "女"}


@applications.route("/causes", methods=["GET"])
@public
@applications.response(200, LabelSchema(many=True), example=[{"code": "lost", "label": "遗失"}])
def list_causes() -> list[dict[str, str]]:
    """Why a certificate may be replaced (补换原因)."""
    return [{"code": code, "label": label} for code, label in rules.CAUSES.items()]


@applications.route("", methods=["POST"])
@own
@applications.arguments(
    schemas.CertificateOpeningSchema,
    example={"kind": "replacement", "certificate": schemas.EXAMPLE_STATEMENT},
)
@applications.response(201, schemas.CertificateOwnSchema, example=schemas.EXAMPLE_OWN)
def open_draft(opening: actions.Opening) -> CertificateApplication:
    """Open the form for a first certificate or a replacement (申领 / 补换).

    409 `application-open` (with `application_id`, when it is one's own), `already-certified`,
    `not-registered`, `no-certificate`, `not-the-newest-certificate`; 404 `application-not-found`
    for `copy_of`; 503 `external-unavailable` with `retryable`: send it again with the same key.
    """
    person = asking_person()
    with transaction() as db:
        return versions.tag(
            actions.open_draft(db, opening, person=person, actor=actor(), now=now())
        )


def _submit(db: Session, application_id: str, **how: Any) -> CertificateApplication:
    return actions.submit(db, application_id, off=parts().settings.outside_off, **how)


add_filings(
    applications,
    actions.FILINGS,
    Form(
        part="certificate",
        section=schemas.CertificateStatementSchema,
        row=schemas.CertificateOwnRowSchema,
        view=schemas.CertificateOwnSchema,
        example_section={"cause": "damaged"},
        example_row=schemas.EXAMPLE_OWN_ROW,
        example=schemas.EXAMPLE_OWN,
        submit=_submit,
    ),
    own,
)
add_checks(
    applications,
    actions.FILINGS,
    actions.CHECKED,
    own,
    view=schemas.CertificateOwnSchema,
    example=schemas.EXAMPLE_OWN | EXAMPLE_CHECKING,
)


@certificates.route("", methods=["GET"])
@own
@certificates.arguments(PageArguments, location="query")
@certificates.response(
    200, page_schema(schemas.CertificateSchema), example=one_page(schemas.EXAMPLE_CERTIFICATE)
)
def list_certificates(page: Page) -> Any:
    """One's own certificates, the valid one and those before it."""
    with reading() as db:
        return page_of(db, queries.own_certificates(actor()), page, by=queries.NEWEST)


@certificates.route("/current", methods=["GET"])
@own
@certificates.response(200, schemas.CertificateSchema, example=schemas.EXAMPLE_CERTIFICATE)
def show_current() -> Certificate:
    """The only valid certificate (当前唯一有效的就业创业证).

    404 `certificate-not-found`: the person has none.
    """
    with reading() as db:
        return versions.tag(queries.find_current(db, actor()))


@certificates.route("/current/signed", methods=["GET"])
@own
@certificates.response(200, schemas.SignedSchema, example={"signed": "eyJhbGciOiJFUzI1NiJ9…"})
def show_signed() -> dict[str, str]:
    """What the certificate says, signed: it can be checked without asking us.

    404 `certificate-not-found`.
    """
    with reading() as db:
        certificate = queries.find_current(db, actor())
        return {"signed": parts().signer.sign_certificate(certificate, now())}


@certificates.route("/current/paper", methods=["GET"])
@own
@certificates.arguments(schemas.FormatSchema, location="query")
@certificates.response(200, {"type": "string", "format": "binary"}, content_type="application/pdf")
def print_current(query: dict[str, Any]) -> Response:
    """The certificate as a PDF, A4 or card (下载).

    404 `certificate-not-found`.
    """
    with reading() as db:
        certificate = queries.find_current(db, actor())
        drawn = paper.draw(_content(certificate), query["format"])
    headers = {"Content-Disposition": 'attachment; filename="certificate.pdf"'}
    return Response(drawn, content_type="application/pdf", headers=headers)


def _content(certificate: Certificate) -> paper.Content:
    return paper.Content(
        number=certificate.number,
        name=certificate.person_name.expose(),
        sex=SEXES.get(certificate.sex, ""),
        document_number=certificate.document_number.expose(),
        region=facts_of(certificate)["region_name"],
        issued_on=shanghai_date(certificate.issued_at),
        link=f"{parts().settings.public_url}/certificates/{certificate.code}",
        signed=parts().signer.sign_certificate(certificate, now()),
        printed_at=now(),
    )
