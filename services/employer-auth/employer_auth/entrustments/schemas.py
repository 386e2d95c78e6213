"""The JSON of entrustments: what units offer, what agencies assign, what both are shown."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate, validates

from employer_auth.bindings.schemas import EXAMPLE_SUB_ACCOUNT, AgencySchema, SubAccountSchema
from employer_auth.entrustments import rules
from employer_auth.grants.rules import Wish
from employer_auth.grants.schemas import EXAMPLE_WISH, WishSchema, wish_of
from servicekit.web.paging import page_schema
from servicekit.web.parsing import Whole
from servicekit.web.wording import Told

MOST_BUSINESSES: Final = 50
EXAMPLE_ITEM: Final = EXAMPLE_WISH | {"business": "recruitment.jobs"}
EXAMPLE_ENTRUSTMENT: Final = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8061",
    "unit": {"unit_id": "01890a5d-ac96-774b-bcce-b302099a8058", "name": "广州示例科技有限公司"},
    "agency": {
        "unit_id": "01890a5d-ac96-774b-bcce-b302099a8062",
        "name": "广东示例人力资源有限公司",
    },
    "state": "active",
    "state_label": "委托中",
    "businesses": [EXAMPLE_ITEM],
    "valid_until": "2027-11-20",
    "created_at": "2026-11-21T02:00:00+00:00",
    "ended_at": None,
    "version": 2,
}
EXAMPLE_AGENT: Final = EXAMPLE_SUB_ACCOUNT | {
    "via": EXAMPLE_ENTRUSTMENT["agency"],
    "entrustment_id": EXAMPLE_ENTRUSTMENT["id"],
}


class EntrustedWishSchema(WishSchema):
    """What is handed on in one business."""

    business = fields.Str(required=True, validate=validate.Length(1, 80))


class WishesSchema(Schema):
    """Several businesses, each once."""

    businesses = fields.List(
        fields.Nested(EntrustedWishSchema),
        required=True,
        validate=validate.Length(1, MOST_BUSINESSES),
    )

    @validates("businesses")
    def check_each_once(self, value: list[dict[str, Any]], **_: Any) -> None:
        """Which of two would hold?"""
        codes = [each["business"] for each in value]
        if len(set(codes)) < len(codes):
            raise ValidationError(Told("business-twice", "同一业务请只填写一次"))


class OfferSchema(WishesSchema):
    """The agency, by its USCC, and what it is to do."""

    agency_uscc = fields.Str(
        required=True, validate=Whole(r"[0-9A-Z]{18}", error="请填写统一社会信用代码")
    )


class AssignmentSchema(WishesSchema):
    """One of the agency's own agents, and what they are to do for the client."""

    binding_id = fields.Str(required=True, validate=validate.Length(1, 36))


class EntrustedBusinessSchema(Schema):
    """One business the agency holds."""

    business = fields.Str(required=True)
    actions = fields.List(fields.Str(), required=True)
    region = fields.Str(allow_none=True, required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)


class EntrustmentSchema(Schema):
    """What both sides are shown."""

    id = fields.Str(required=True)
    unit = fields.Nested(AgencySchema, required=True)
    agency = fields.Nested(AgencySchema, required=True)
    state = fields.Enum(rules.EntrustmentState, by_value=True, required=True)
    state_label = fields.Str(attribute="state.label", required=True)
    businesses = fields.List(fields.Nested(EntrustedBusinessSchema), required=True)
    valid_until = fields.Date(required=True)
    created_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(allow_none=True, required=True)
    version = fields.Int(required=True)


EntrustmentPageSchema: Final = page_schema(EntrustmentSchema)


class EntrustedAgentSchema(SubAccountSchema):
    """One of the agency's people who acts for the client."""

    entrustment_id = fields.Str(required=True)


class EntrustedAgentsSchema(Schema):
    """Everybody who acts, or acted, under an entrustment; there are no pages."""

    items = fields.List(fields.Nested(EntrustedAgentSchema), required=True)


def wishes_of(said: list[dict[str, Any]], today: date) -> list[Wish]:
    """Input becomes frozen dataclasses before it meets an action."""
    return [wish_of(each["business"], each, today) for each in said]
