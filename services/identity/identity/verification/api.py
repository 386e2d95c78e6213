"""HTTP for raising one's level."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity import examples
from identity.accounts import actions as accounts
from identity.parts import parts
from identity.verification import actions, queries
from identity.verification.model import Evidence
from identity.verification.rules import Scale
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "verification", __name__, url_prefix="/api/identity/v1/me", description="实名认证"
)


class CardSchema(Schema):
    """What the person fills in for the bank-card check."""

    card_number = fields.Str(required=True, validate=validate.Length(max=40))
    phone = fields.Str(required=True, validate=validate.Length(max=40))
    sms_code = fields.Str(required=True, validate=validate.Length(max=20))
    consent = fields.Str(
        load_default="",
        validate=validate.Length(max=20),
        metadata={"description": "The version of the separate consent bank-card that was read."},
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> actions.Card:
        return actions.Card(**data)


class EvidenceSchema(Schema):
    """One thing that was proved."""

    id = fields.Str(required=True)
    channel = fields.Str(required=True)
    scale = fields.Enum(Scale, by_value=True, required=True)
    level = fields.Int(required=True)
    provider = fields.Str(required=True)
    reference = fields.Str(required=True)
    verified_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)


class EvidenceListSchema(Schema):
    """Everything that was proved, and the level that follows from it."""

    level = fields.Int(required=True)
    items = fields.List(fields.Nested(EvidenceSchema), required=True)


@blueprint.route("/bank-card-checks", methods=["POST"])
@blueprint.arguments(CardSchema, example=examples.CARD)
@blueprint.response(201, EvidenceSchema, example=examples.EVIDENCE)
@access(Role.APPLICANT, kinds=("person",))
def check_bank_card(card: actions.Card) -> Evidence:
    """Raise the level to 2 by the bank-card check (银联实名认证).

    422 `verification-refused` (the form), `verification-failed` (the bank's no, by its cause); 409
    `level-already-reached`; 429 `verification-closed`; 503 `external-unavailable`: send it again
    with the same key.
    """
    own = parts()
    with transaction() as db:
        account = accounts.find(db, actor().id)
        return actions.check_bank_card_of(
            db, account, card, bank=own.bank_card, counts=own.counts, now=now()
        )


@blueprint.route("/evidence", methods=["GET"])
@blueprint.response(200, EvidenceListSchema, example=examples.EVIDENCE_LIST)
@access(Role.APPLICANT, kinds=("person", "unit"))
def list_evidence() -> dict[str, Any]:
    """What was proved, when, through which channel."""
    with reading() as db:
        account = accounts.find(db, actor().id)
        return {"level": account.level, "items": queries.list_evidence(db, account.id)}
