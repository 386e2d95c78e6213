"""HTTP for legal representatives: one public address with one answer."""

from __future__ import annotations

from typing import Any

from employer_auth.objections import actions, rules, schemas
from employer_auth.parts import parts
from employer_auth.visitors import address_key
from servicekit.web.access import public
from servicekit.web.api import Blueprint
from servicekit.web.session import keep_on_refusal, now, transaction

objections = Blueprint(
    "objections", __name__, url_prefix="/objections", description="法定代表人异议"
)


@objections.route("", methods=["POST"])
@public
@objections.arguments(schemas.ObjectionInputSchema, example=schemas.EXAMPLE)
@objections.response(202, schemas.ObjectionReceivedSchema, example={"message": rules.ANSWER})
def file_objection(body: dict[str, Any]) -> dict[str, str]:
    """Object to a registration, a first binding or a recovery (异议, EA-12).

    Whether the code was right is not told; a right one freezes the unit at once. 422
    `invalid-input` for what is mistyped; 429 `too-many-objections`.
    """
    with transaction() as db:
        keep_on_refusal()
        actions.attempt(
            db,
            **body,
            address=address_key(),
            allowance=parts().settings.objections_per_address_hour,
            now=now(),
        )
    return {"message": rules.ANSWER}
