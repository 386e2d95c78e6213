"""The JSON of the certificate: applications, certificates, and what anyone may verify."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from employment_registry.certificate import rules
from employment_registry.certificate.actions import Opening
from employment_registry.certificate.opening_rules import GUIDES
from employment_registry.certificate.paper import Format
from employment_registry.checks.schemas import EXAMPLE_FINDING, Check, Findings
from employment_registry.person_schemas import (
    EXAMPLE_FILED,
    EXAMPLE_OWN_FILED,
    EXAMPLE_PERSON,
    DecisionRestsOn,
    FiledSchema,
    OwnFiledSchema,
    PersonSchema,
    region_field,
)
from servicekit.web.filing import OpenMoves, Part, Phone
from servicekit.web.paging import Page, PageArguments
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.reviewing import MAX_REASON
from servicekit.web.teamwork.comparing import EXAMPLE_DIFFERENCES, Comparison
from servicekit.web.teamwork.schemas import EXAMPLE_LINE, TeamLineSchema

EXAMPLE_STATEMENT: Final = {
    "cause": "lost",
    "explanation": "办公室搬迁时遗失",
    "service_place": "440106003",
}
EXAMPLE_ROW: Final[dict[str, Any]] = {
    "id": "01a1fcb7-993f-74cb-be82-b9befbd64972",
    "number": "440106-03-20260929-000001-2",
    "kind": "replacement",
    **EXAMPLE_FILED,
    "open_moves": ["withdraw"],
}
EXAMPLE_OWN_ROW: Final = EXAMPLE_ROW | EXAMPLE_OWN_FILED | {"can_be_replaced": False}
_DECIDED: Final[dict[str, Any]] = {
    "certificate": EXAMPLE_STATEMENT | {"contact_phone": "138****0000"},
    "decision_reason": None,
    "fields_to_correct": [],
}
EXAMPLE_OWN: Final = EXAMPLE_OWN_ROW | _DECIDED | {"decision_rests_on": None, "check": None}
EXAMPLE_REVIEW_ROW: Final = EXAMPLE_ROW | {
    "open_moves": ["claim", "approve", "return", "reject"],
    "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "is_overdue": False,
    "due_colour": "green",
    "claimed_by": None,
    "claimed_until": None,
    **EXAMPLE_LINE,
}
EXAMPLE_REVIEW: Final = (
    EXAMPLE_REVIEW_ROW
    | _DECIDED
    | {"comparison": EXAMPLE_DIFFERENCES, "findings": [EXAMPLE_FINDING]}
)
EXAMPLE_CERTIFICATE: Final = {
    "id": "01a1fcb7-9984-75ed-adc5-5ce1f0dc9fea",
    "number": "4401060826000001",
    "code": "5n6Zk0Xb0y4l8t6m2q9cPA",
    "validity": "valid",
    "validity_label": "有效",
    "region": "440106003",
    "person": EXAMPLE_PERSON,
    "application_id": None,
    "can_be_replaced": True,
    "issued_at": "2026-09-30T03:00:00+00:00",
    "ended_at": None,
}
EXAMPLE_ISSUED: Final = {
    name: value
    for name, value in EXAMPLE_CERTIFICATE.items()
    if name not in {"code", "can_be_replaced"}
}
REVOKED: Final = {
    "validity": "revoked",
    "validity_label": "已作废",
    "ended_at": "2026-10-09T03:00:00+00:00",
}
EXAMPLE_VERIFICATION: Final = {
    "number": "4401060826000001",
    "name": "林**",
    "document_ends_with": "0012",
    "region": "440106003",
    "region_name": "广东省广州市天河区五山街道",
    "issued_on": "2026-09-30",
    "validity": "valid",
    "validity_label": "有效",
    "ended_on": None,
}


class CertificateStatementSchema(Schema):
    """申领 or 补换信息: any field may be missing in a draft; null empties it."""

    cause = fields.Enum(rules.Cause, by_value=True, allow_none=True)
    explanation = fields.Str(allow_none=True, validate=[validate.Length(1, 500), NOT_BLANK])
    service_place = region_field()
    contact_phone = Phone(allow_none=True)


class CertificateOpeningSchema(Schema):
    """申领 or 补换, with what the person has filled in already."""

    kind = fields.Enum(rules.Kind, by_value=True, required=True)
    replaces = fields.Str(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 36),
        metadata={"description": "Which is to be replaced (补换); the valid one if absent."},
    )
    certificate = fields.Nested(CertificateStatementSchema, load_default=dict)
    copy_of = fields.Str(load_default=None, validate=validate.Length(max=36))

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Opening:
        """Input becomes a frozen dataclass before it meets an action."""
        return Opening(**values)


class CertificateRowSchema(FiledSchema):
    """What every list and every view of an application shows."""

    kind = fields.Enum(rules.Kind, by_value=True, required=True)
    open_moves = OpenMoves(rules.WORKFLOW)


class CertificateOwnRowSchema(OwnFiledSchema, CertificateRowSchema):
    """A line of 申领/补换记录: 补换 is offered on the newest alone (CRT-05)."""

    can_be_replaced = fields.Boolean(required=True)


class CertificateOwnSchema(CertificateOwnRowSchema):
    """The person's own application in full."""

    certificate = Part(CertificateStatementSchema, required=True)
    decision_reason = fields.Str(allow_none=True, required=True)
    decision_rests_on = DecisionRestsOn(rules.REASONS, lambda row: GUIDES[row.kind])
    fields_to_correct = fields.List(fields.Str(), required=True)
    check = Check()


class CertificateReviewRowSchema(TeamLineSchema, CertificateRowSchema):
    """A line of the officers' queue."""


class CertificateFaceSchema(PersonSchema):
    """What stands on a certificate: the person, and which office serves them."""

    region = fields.Str(allow_none=True, required=True)


class CertificateReviewSchema(CertificateReviewRowSchema):
    """What the officer decides on."""

    certificate = Part(CertificateStatementSchema, required=True)
    decision_reason = fields.Str(allow_none=True, required=True)
    fields_to_correct = fields.List(fields.Str(), required=True)
    findings = Findings()
    comparison = Comparison(
        "certificate",
        CertificateFaceSchema,
        lambda row: row.in_force if row.kind is rules.Kind.REPLACEMENT else None,
    )


class RevocationSchema(Schema):
    """作废原因."""

    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])


class IssuedSchema(Schema):
    """A certificate, as officers see it."""

    id = fields.Str(required=True)
    number = fields.Str(required=True)
    validity = fields.Enum(rules.Validity, by_value=True, required=True)
    validity_label = fields.Str(attribute="validity.label", required=True)
    region = fields.Str(required=True)
    person = Part(PersonSchema, required=True)
    application_id = fields.Str(allow_none=True, required=True)
    issued_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(allow_none=True, required=True)


class IssuedFiltersSchema(PageArguments):
    """Which certificate; nobody leafs through all of them."""

    number = fields.Str(
        required=True, validate=validate.Length(1, 20), metadata={"description": "证号"}
    )

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> tuple[str, Page]:
        """The number and the page apart."""
        return values["number"], Page(limit=values["limit"], cursor=values["cursor"])


class CertificateSchema(IssuedSchema):
    """我的就业创业证: 补换 is offered on the newest alone (CRT-05)."""

    code = fields.Str(required=True, metadata={"description": "Who knows it may verify (核验码)."})
    can_be_replaced = fields.Boolean(required=True)


class FormatSchema(Schema):
    """What it is printed on."""

    format = fields.Enum(Format, by_value=True, load_default=Format.A4)


class SignedSchema(Schema):
    """The certificate as a compact JWS; the keys stand at `/certificate-keys`."""

    signed = fields.Str(required=True)


class VerificationSchema(Schema):
    """All that anyone is told: enough to compare with the person before one."""

    number = fields.Str(required=True)
    name = fields.Str(required=True)
    document_ends_with = fields.Str(required=True)
    region = fields.Str(required=True)
    region_name = fields.Str(required=True)
    issued_on = fields.Date(required=True)
    validity = fields.Str(required=True)
    validity_label = fields.Str(required=True)
    ended_on = fields.Date(allow_none=True, required=True)


class KeysSchema(Schema):
    """A JWK set (RFC 7517)."""

    keys = fields.List(fields.Dict(), required=True)
