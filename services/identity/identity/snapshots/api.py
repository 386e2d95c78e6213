"""HTTP for services that began to listen later than we began to speak (decision 0016)."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from identity import examples
from identity.accounts.rules import Kind, Standing
from identity.snapshots import queries
from identity.snapshots.rules import MOST, SNAPSHOTS
from identity.units.rules import CertificateKind
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import reading
from servicekit.workflow import Role

blueprint = Blueprint(
    "snapshots", __name__, url_prefix="/api/identity/v1/snapshots", description="现状"
)


class SnapshotAskedSchema(Schema):
    """From where on, and how much."""

    after = fields.Str(
        load_default="",
        validate=validate.Length(max=36),
        metadata={"description": "`next` of the part before."},
    )
    limit = fields.Int(load_default=MOST, validate=validate.Range(1, MOST))


class AccountStateSchema(Schema):
    """An account; a person's level is on HRSS's scale, a unit's on the province's."""

    account_id = fields.Str(required=True)
    kind = fields.Enum(Kind, by_value=True, required=True)
    level = fields.Int(required=True)
    standing = fields.Enum(Standing, by_value=True, required=True)


class UnitStateSchema(Schema):
    """A unit's public data."""

    unit_id = fields.Str(required=True)
    certificate_type = fields.Enum(CertificateKind, by_value=True, required=True)
    certificate_number = fields.Str(required=True)
    name = fields.Str(required=True)
    region = fields.Str(required=True)
    level = fields.Int(required=True)


class ToldSchema(Schema):
    """Whom it is about, and the number (`sequence`) of the newest event told of them; 0: none."""

    subject = fields.Str(required=True)
    sequence = fields.Int(required=True)


class ToldAccountSchema(ToldSchema):
    """An account's state, and up to which event it holds."""

    state = fields.Nested(AccountStateSchema, required=True)


class ToldUnitSchema(ToldSchema):
    """A unit's state, and up to which event it holds."""

    state = fields.Nested(UnitStateSchema, required=True)


class AccountSnapshotSchema(Schema):
    """Some accounts by id; `next` is null on the last part."""

    items = fields.List(fields.Nested(ToldAccountSchema), required=True)
    next = fields.Str(required=True, allow_none=True)


class UnitSnapshotSchema(Schema):
    """Some units by id; `next` is null on the last part."""

    items = fields.List(fields.Nested(ToldUnitSchema), required=True)
    next = fields.Str(required=True, allow_none=True)


@blueprint.route("/accounts", methods=["GET"])
@blueprint.arguments(SnapshotAskedSchema, location="query")
@blueprint.response(200, AccountSnapshotSchema, example=examples.ACCOUNT_SNAPSHOT)
@access(Role.SYSTEM, scopes=(SNAPSHOTS,))
def list_accounts(asked: dict[str, Any]) -> queries.Part:
    """Every account as it is now (账号现状), for a service that has not heard from the beginning.

    Events of the matter `account` with a number up to `sequence` are in it, later ones are not.
    """
    with reading() as db:
        return queries.list_accounts(db, after=asked["after"], limit=asked["limit"])


@blueprint.route("/units", methods=["GET"])
@blueprint.arguments(SnapshotAskedSchema, location="query")
@blueprint.response(200, UnitSnapshotSchema, example=examples.UNIT_SNAPSHOT)
@access(Role.SYSTEM, scopes=(SNAPSHOTS,))
def list_units(asked: dict[str, Any]) -> queries.Part:
    """Every unit as it is now (单位现状), likewise; the numbers are those of the matter `unit`."""
    with reading() as db:
        return queries.list_units(db, after=asked["after"], limit=asked["limit"])
