"""HTTP for programs: which sessions and accounts ended, for whoever was not listening (ID-43)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import Schema, fields

from identity import examples
from identity.sign_in import queries
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import now, reading
from servicekit.workflow import Role

blueprint = Blueprint(
    "revocations", __name__, url_prefix="/api/identity/v1/revocations", description="失效通知"
)


class SinceSchema(Schema):
    """From when on."""

    since = fields.AwareDateTime(required=True)


class EndedSessionSchema(Schema):
    """A login that is over."""

    session_id = fields.Str(required=True)
    at = fields.AwareDateTime(required=True)


class EndedAccountSchema(Schema):
    """Whose tokens from before are worth nothing: locked, cancelled, fallen in level; or a
    suspended system, whose tokens name its ``client_id``."""

    account_id = fields.Str(required=True)
    at = fields.AwareDateTime(required=True)


class WithdrawnKeySchema(Schema):
    """A signing key that has leaked; what names it is worth nothing, whenever it was signed."""

    kid = fields.Str(required=True)
    at = fields.AwareDateTime(required=True)


class RevocationsSchema(Schema):
    """What ended; ``now`` is the ``since`` of the next question."""

    now = fields.AwareDateTime(required=True)
    sessions = fields.List(fields.Nested(EndedSessionSchema), required=True)
    accounts = fields.List(fields.Nested(EndedAccountSchema), required=True)
    keys = fields.List(fields.Nested(WithdrawnKeySchema), required=True)


@blueprint.route("", methods=["GET"])
@blueprint.arguments(SinceSchema, location="query")
@blueprint.response(200, RevocationsSchema, example=examples.REVOCATIONS)
@access(Role.SYSTEM, scopes=("revocations",))
def list_revocations(asked: dict[str, datetime]) -> dict[str, Any]:
    """What ended since then, at most a quarter of an hour back: no token lives longer (ID-43)."""
    with reading() as db:
        return queries.list_revocations(db, asked["since"], now=now())
