"""HTTP for what is kept while a level is raised, and for the list of channels."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from identity import examples
from identity.accounts import actions as accounts
from identity.parts import parts
from identity.verification import parking, parking_rules, raising, rules
from identity.verification.model import ParkedRequest
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "parking", __name__, url_prefix="/api/identity/v1/me", description="提升实名等级"
)

RAISE = "/identity/raise"
CONTINUE = "/identity/continue"


class ParkingSchema(Schema):
    """What was being sent when a higher level was asked for."""

    page = fields.Str(required=True, validate=validate.Length(1, 400))
    content = fields.Str(required=True, validate=validate.Length(1, parking_rules.LARGEST))


class ParkedSchema(Schema):
    """Where to go to raise the level; afterwards the page is opened with ``?parked=<id>``."""

    id = fields.Str(required=True)
    page = fields.Str(required=True)
    expires_at = fields.AwareDateTime(required=True)
    raise_at = fields.Function(
        lambda p: f"{RAISE}?return_to={CONTINUE}/{p.id}",
        required=True,
        metadata={"description": "add `&acr_values=` as the challenge of RFC 9470 named it"},
    )


class ParkedContentSchema(ParkedSchema):
    """The same with what was typed."""

    content = fields.Function(lambda p: p.content.expose(), required=True)


class ChoiceSchema(Schema):
    """One channel and what it gives."""

    channel = fields.Str(required=True)
    title = fields.Str(required=True)
    level = fields.Int(required=True)
    level_name = fields.Str(required=True)
    done = fields.Bool(required=True)


class ChoiceListSchema(Schema):
    """The account's level and every channel that leads further or that was used."""

    level = fields.Int(required=True)
    level_name = fields.Str(required=True)
    items = fields.List(fields.Nested(ChoiceSchema), required=True)


@blueprint.route("/channels", methods=["GET"])
@blueprint.response(200, ChoiceListSchema, example=examples.CHANNELS)
@access(Role.APPLICANT, kinds=("person", "unit"))
def list_channels() -> dict[str, Any]:
    """The channels of this account: to what level each leads, and which are done (D5)."""
    with reading() as db:
        account = accounts.find(db, actor().id)
        off = parts().channels.off
        names = rules.LEVEL_NAMES[rules.OWN_SCALE[account.kind]]
        items = raising.choices(db, account, wanted=0, off=off, now=now())
        return {"level": account.level, "level_name": names[account.level], "items": items}


@blueprint.route("/parked-requests", methods=["POST"])
@blueprint.arguments(ParkingSchema, example=examples.PARKING)
@blueprint.response(201, ParkedSchema, example=examples.PARKED)
@access(Role.APPLICANT, kinds=("person", "unit"))
def park(wish: dict[str, Any]) -> ParkedRequest:
    """Keep what was being sent, sealed, for half an hour (ID-42: nothing typed is lost)."""
    with transaction() as db:
        return parking.park(db, _human(), page=wish["page"], content=wish["content"], now=now())


@blueprint.route("/parked-requests/<parked_id>", methods=["GET"])
@blueprint.response(200, ParkedContentSchema, example=examples.PARKED_CONTENT)
@access(Role.APPLICANT, kinds=("person", "unit"))
def show_parked(parked_id: str) -> ParkedRequest:
    """What was kept; 404 `parked-request-not-found` for everybody else and after half an hour."""
    with reading() as db:
        return parking.find(db, _human(), parked_id, now=now())


@blueprint.route("/parked-requests/<parked_id>", methods=["DELETE"])
@blueprint.response(204)
@access(Role.APPLICANT, kinds=("person", "unit"))
def drop_parked(parked_id: str) -> None:
    """Forget it: it was sent."""
    with transaction() as db:
        parking.drop(db, _human(), parked_id, now=now())


def _human() -> str:
    return actor().person_id or actor().id
