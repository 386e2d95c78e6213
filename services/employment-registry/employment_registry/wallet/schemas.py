"""The JSON of offers and copies, for the person they belong to."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from employment_registry.wallet.rules import Event

EXAMPLE_OFFER: Final = {
    "link": "openid-credential-offer://?credential_offer=%7B%22credential_issuer%22%3A%22…%22%7D",
    "picture": "data:image/svg+xml;charset=utf-8,%3Csvg …%3E",
    "transaction_code": "493536",
    "expires_at": "2026-09-30T03:10:00+00:00",
}
EXAMPLE_COPY: Final[dict[str, Any]] = {
    "id": "01a1fcb7-9984-75ed-adc5-5ce1f0dc9feb",
    "certificate_id": "01a1fcb7-9984-75ed-adc5-5ce1f0dc9fea",
    "event": "credential_accepted",
    "issued_at": "2026-09-30T03:00:00+00:00",
    "expires_at": "2027-09-30T03:00:00+00:00",
    "ended_at": None,
}
EXAMPLE_TYPE: Final[dict[str, Any]] = {
    "vct": "https://…/api/employment-registry/v1/credential-types/employment-certificate",
    "name": "就业创业证",
    "description": "证明持证人已办理就业或失业登记，全国通用。",
    "display": [{"locale": "zh-CN", "name": "就业创业证"}],
    "claims": [
        {
            "path": ["name"],
            "sd": "always",
            "display": [{"locale": "zh-CN", "label": "姓名"}],
        }
    ],
}


class OfferSchema(Schema):
    """What one wallet takes up, once, within ten minutes."""

    link = fields.Str(
        required=True, metadata={"description": "Opens the wallet on the same telephone."}
    )
    picture = fields.Str(
        required=True, metadata={"description": "The link as a QR code: an SVG as a data URI."}
    )
    transaction_code = fields.Str(
        required=True,
        metadata={"description": "The wallet asks for it; it is not in the link (交易码)."},
    )
    expires_at = fields.AwareDateTime(required=True)


class CopySchema(Schema):
    """One copy in a wallet, and what the wallet told of it."""

    id = fields.Str(required=True)
    certificate_id = fields.Str(required=True)
    event = fields.Enum(Event, by_value=True, allow_none=True, required=True)
    issued_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(allow_none=True, required=True)


class TakenBackSchema(Schema):
    """How many copies were in force."""

    ended = fields.Int(required=True)


class TypeSchema(Schema):
    """Type metadata as the SD-JWT VC draft has it."""

    vct = fields.Str(required=True)
    name = fields.Str(required=True)
    description = fields.Str(required=True)
    display = fields.List(fields.Dict(), required=True)
    claims = fields.List(fields.Dict(), required=True)
