"""HTTP for SMS codes: anybody may ask, and nobody learns whose phone it is."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import Schema, fields

from identity import examples
from identity.parts import client_address, parts
from identity.sign_in.browser import DEVICE_COOKIE
from identity.sms_codes import actions, rules
from servicekit.web.access import public
from servicekit.web.api import Blueprint
from servicekit.web.session import app, bearer_token, now, transaction

blueprint = Blueprint(
    "sms-codes", __name__, url_prefix="/api/identity/v1/sms-codes", description="短信验证码"
)


class SmsCodeRequestSchema(Schema):
    """For which phone and what for."""

    phone = fields.Str(required=True, metadata={"example": "13800000000"})
    purpose = fields.Enum(rules.Purpose, by_value=True, required=True)


class SmsCodeSentSchema(Schema):
    """How long the code is good, and when another may be asked for; the same for every phone."""

    expires_in = fields.Int(required=True)
    resend_after = fields.Int(required=True)


@blueprint.route("", methods=["POST"])
@blueprint.arguments(SmsCodeRequestSchema, example=examples.SMS_CODE_REQUEST)
@blueprint.response(202, SmsCodeSentSchema, example=examples.SMS_CODE_SENT)
@public
def send(asked: dict[str, Any]) -> dict[str, int]:
    """Send a six-digit code (获取验证码).

    Visitors ask for `registration`, `sign-in` and `recovery`; the owner's purposes need the
    owner's token, and the code is then good for that account alone. The answer is the same
    whether or not the phone is known; 401 `login-needed`; 429 `too-many-sms-codes`.
    """
    own, owner_id = parts(), _asker()
    rules.check_purpose(asked["purpose"], signed_in=owner_id is not None)
    with transaction() as db:
        actions.send(
            db,
            phone=asked["phone"],
            purpose=asked["purpose"],
            address=client_address(),
            limits=own.sms_limits,
            counts=own.counts,
            now=now(),
            owner_id=owner_id if asked["purpose"] in rules.FOR_OWNERS else None,
            device=request.cookies.get(DEVICE_COOKIE),
        )
    return {
        "expires_in": int(rules.LIFE.total_seconds()),
        "resend_after": int(rules.PAUSE.total_seconds()),
    }


def _asker() -> str | None:
    """The human, or the unit's own account, behind the token; a bad one is refused as anywhere."""
    text = bearer_token()
    if text is None:
        return None
    who = app().verifier.verify(text).actor
    return who.person_id or who.id  # a unit's own account has no person behind its token
