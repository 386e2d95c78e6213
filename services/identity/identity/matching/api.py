"""HTTP for services that must know whether a person is registered here."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity import unit_examples
from identity.accounts.model import Account
from identity.matching import actions
from identity.matching.rules import ACCOUNTS_MATCH
from identity.parts import parts
from servicekit.web.access import access, unkeyed
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading
from servicekit.workflow import Role

blueprint = Blueprint(
    "person-matches", __name__, url_prefix="/api/identity/v1/person-matches", description="人员核对"
)


class PersonAskedSchema(Schema):
    """What the unit typed about the person (个人账号注册成功的正确个人信息)."""

    login_name = fields.Str(required=True, validate=validate.Length(1, 100))
    name = fields.Str(required=True, validate=validate.Length(1, 100))
    document_number = fields.Str(required=True, validate=validate.Length(1, 40))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> actions.Asked:
        return actions.Asked(**data)


class PersonMatchedSchema(Schema):
    """The account, and its level on HRSS's scale."""

    account_id = fields.Str(attribute="id", required=True)
    level = fields.Int(required=True)


@blueprint.route("", methods=["POST"])
@blueprint.arguments(PersonAskedSchema, example=unit_examples.PERSON_ASKED)
@blueprint.response(200, PersonMatchedSchema, example=unit_examples.PERSON_MATCHED)
@unkeyed
@access(Role.SYSTEM, scopes=(ACCOUNTS_MATCH,))
def match(asked: actions.Asked) -> Account:
    """Is this login name, name and number one registered person's (人员核对)?

    404 `person-not-matched` for every kind of no, with the same text after the same work; 429
    `too-many-matches`.
    """
    own = parts()
    with reading() as db:
        return actions.match(
            db,
            asked,
            client_id=actor().id,
            allowance=own.settings.matches_per_client,
            counts=own.counts,
            now=now(),
        )
