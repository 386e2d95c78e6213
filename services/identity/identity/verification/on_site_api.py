"""HTTP for the desk: officers record what they saw, admins take evidence back."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity import examples
from identity.accounts.rules import Form, Sex
from identity.adapters import proofing
from identity.adapters.legal_person_base import LegalPersonBase
from identity.administration import actions as administration
from identity.officers.actions import make_password
from identity.parts import parts
from identity.verification import on_site, on_site_rules, queries, rules
from identity.verification.api import EvidenceListSchema, EvidenceSchema
from identity.verification.model import Evidence
from identity.verification.rules import Channel
from servicekit.identifiers import DocumentKind
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint("on_site", __name__, url_prefix="/api/identity/v1", description="现场核验")

_MATERIALS = (*on_site_rules.PERSON_MATERIALS, *on_site_rules.UNIT_MATERIALS)


class PresentedSchema(Schema):
    """What was presented at the desk."""

    kind = fields.Str(required=True, validate=validate.OneOf(("person", "unit")))
    name = fields.Str(required=True, validate=validate.Length(1, 200))
    number = fields.Str(required=True, validate=validate.Length(1, 40))
    document_type = fields.Enum(
        DocumentKind, by_value=True, load_default=DocumentKind.RESIDENT_CARD
    )
    materials = fields.List(
        fields.Str(validate=validate.OneOf(_MATERIALS)),
        required=True,
        validate=validate.Length(max=10),
    )
    note = fields.Str(load_default="", validate=validate.Length(max=400))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> on_site.Presented:
        return on_site.Presented(**{**data, "materials": tuple(data["materials"])})


class RevocationReasonSchema(Schema):
    """Why evidence is taken back; it stays on record."""

    reason = fields.Str(required=True, validate=validate.Length(2, 200))


@blueprint.route("/on-site-verifications", methods=["POST"])
@blueprint.arguments(PresentedSchema, example=examples.PRESENTED)
@blueprint.response(201, EvidenceSchema, example=examples.ON_SITE_EVIDENCE)
@access(Role.WINDOW)
def record_on_site(presented: on_site.Presented) -> Evidence:
    """Record that a person or a unit's agent came with their documents (办事大厅现场核验).

    404 `on-site-account-not-found`; 409 `on-site-materials-missing`; 403 `on-site-own-account`,
    `on-site-other-region`.
    """
    with transaction() as db:
        return on_site.record(db, presented, officer_id=actor().id, now=now())


class VisitorSchema(Schema):
    """Who comes without an account, as their document and they themselves say (A6)."""

    name = fields.Str(required=True, validate=validate.Length(max=100))
    document_type = fields.Enum(DocumentKind, by_value=True, required=True)
    document_number = fields.Str(required=True, validate=validate.Length(max=40))
    birth_date = fields.Date(load_default=None)
    sex = fields.Enum(Sex, by_value=True, load_default=None)
    login_name = fields.Str(required=True, validate=validate.Length(max=100))
    phone = fields.Str(required=True, validate=validate.Length(max=40))
    sms_code = fields.Str(
        required=True,
        validate=validate.Length(max=20),
        metadata={"description": "Sent to the person's own phone, purpose registration."},
    )
    materials = fields.List(
        fields.Str(validate=validate.OneOf(on_site_rules.PERSON_MATERIALS)),
        required=True,
        validate=validate.Length(max=10),
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> tuple[Form, tuple[str, ...]]:
        materials, nobodys = tuple(data.pop("materials")), make_password()
        form = Form(**data, password=nobodys, password_again=nobodys, agreements={})
        return form, materials


@blueprint.route("/on-site-registrations", methods=["POST"])
@blueprint.arguments(VisitorSchema, example=examples.VISITOR)
@blueprint.response(201, EvidenceSchema, example=examples.ON_SITE_EVIDENCE)
@access(Role.WINDOW)
def register_on_site(given: tuple[Form, tuple[str, ...]]) -> Evidence:
    """Open the account of a person who could not register on line (办事大厅现场核验注册账号).

    The person is at level 3 at once; the one-time password goes to the own phone. 422
    `registration-refused` with every wrong field; 409 `username-taken`, `person-id-taken`,
    `on-site-materials-missing`; 403 `on-site-own-account`.
    """
    own, (form, materials) = parts(), given
    means = on_site.Means(own.counts, own.hasher, own.password_policy)
    with transaction() as db:
        return on_site.register(db, form, materials, officer_id=actor().id, means=means, now=now())


class ChannelHealthSchema(Schema):
    """Does a channel's system answer now?"""

    channel = fields.Str(required=True)
    title = fields.Str(required=True)
    on = fields.Bool(required=True)
    answers = fields.Bool(required=True)


class ChannelHealthListSchema(Schema):
    """Every channel that has an outside system of several steps, and the legal-person base."""

    items = fields.List(fields.Nested(ChannelHealthSchema), required=True)


@blueprint.route("/channel-health", methods=["GET"])
@blueprint.response(200, ChannelHealthListSchema, example=examples.CHANNEL_HEALTH)
@access(Role.ADMIN)
def list_health() -> dict[str, Any]:
    """Ask every outside system whether it is there; who reports "外厅局接口异常" is told which."""
    own = parts().channels
    systems: dict[Channel, proofing.Channel | LegalPersonBase] = dict(own.started)
    systems[Channel.LEGAL_PERSON_BASE] = own.legal_person_base
    return {
        "items": [
            {
                "channel": channel,
                "title": rules.CHANNEL_NAMES[channel],
                "on": own.is_on(channel),
                "answers": system.health(),
            }
            for channel, system in systems.items()
        ]
    }


@blueprint.route("/accounts/<account_id>/evidence", methods=["GET"])
@blueprint.response(200, EvidenceListSchema, example=examples.EVIDENCE_LIST)
@access(Role.ADMIN)
def list_evidence_of(account_id: str) -> dict[str, Any]:
    """What was proved about an account, for admins of its region; 403 `account-not-yours`."""
    with reading() as db:
        account = administration.find_covered(db, account_id, by=actor()).account
        return {"level": account.level, "items": queries.list_evidence(db, account.id)}


@blueprint.route("/accounts/<account_id>/evidence/<evidence_id>/revocation", methods=["POST"])
@blueprint.arguments(RevocationReasonSchema, example={"reason": "材料系伪造"})
@blueprint.response(200, EvidenceListSchema, example=examples.EVIDENCE_LIST)
@access(Role.ADMIN)
def revoke_evidence(wish: dict[str, Any], account_id: str, evidence_id: str) -> dict[str, Any]:
    """Take one piece of evidence back; the level falls at once, and who did it is on record.

    404 `evidence-not-found`; 403 `account-not-yours`; 422 `reason-required`.
    """
    with transaction() as db:
        account = administration.revoke_evidence(
            db, account_id, evidence_id, reason=wish["reason"], by=actor(), now=now()
        )
        return {"level": account.level, "items": queries.list_evidence(db, account.id)}
