"""HTTP for one's own sessions: see them, end one, end all others."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from identity import examples
from identity.sign_in import rules, sessions
from identity.sign_in.model import SignInSession
from identity.sign_in.rules import EndReason
from servicekit.web.access import access, while_frozen
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "sessions", __name__, url_prefix="/api/identity/v1/me/sessions", description="登录会话"
)

_EVERYBODY = (Role.APPLICANT, Role.WINDOW, Role.REVIEWER, Role.APPROVER, Role.ADMIN)


class SessionSchema(Schema):
    """One login, as its owner sees it."""

    id = fields.Str(required=True)
    device = fields.Function(lambda s: s.device.expose(), required=True)
    address = fields.Function(lambda s: s.address.expose(), required=True)
    methods = fields.List(fields.Str(), attribute="amr", required=True)
    created_at = fields.AwareDateTime(required=True)
    last_seen_at = fields.AwareDateTime(required=True)
    current = fields.Function(lambda s: s.id == actor().session_id, required=True)


class SessionListSchema(Schema):
    """Every login that lives."""

    items = fields.List(fields.Nested(SessionSchema), required=True)


@blueprint.route("", methods=["GET"])
@blueprint.response(200, SessionListSchema, example=examples.SESSIONS)
@access(*_EVERYBODY, acting=True)
def list_sessions() -> dict[str, Any]:
    """Where one is signed in (登录设备)."""
    with reading() as db:
        return {"items": sessions.list_alive(db, _owner(), now=now())}


@blueprint.route("", methods=["DELETE"])
@blueprint.response(204)
@access(*_EVERYBODY, acting=True)
@while_frozen
def end_other_sessions() -> None:
    """End every session but this one (退出其他设备)."""
    with transaction() as db:
        for session in sessions.list_alive(db, _owner(), now=now()):
            if session.id != actor().session_id:
                sessions.end(db, session, EndReason.OWNER, now=now())


@blueprint.route("/<session_id>", methods=["DELETE"])
@blueprint.response(204)
@access(*_EVERYBODY, acting=True)
@while_frozen
def end_session(session_id: str) -> None:
    """End one session; its tokens are worth nothing within two seconds (ID-43)."""
    with transaction() as db:
        sessions.end(db, _own(db, session_id), EndReason.OWNER, now=now())


def _own(db: Session, session_id: str) -> SignInSession:
    session = db.get(SignInSession, session_id)
    if session is None or session.account_id != _owner():
        raise rules.NoSession
    return session


def _owner() -> str:
    # The human, also when acting for a unit: sessions are people's.
    return actor().person_id or actor().id
