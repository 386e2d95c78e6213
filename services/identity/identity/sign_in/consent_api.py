"""HTTP for one's own consents: which systems may know what, and taking it back."""

from __future__ import annotations

from typing import Any

from identity.sign_in import client_rules, client_schemas, consents
from servicekit.web.access import access, while_frozen
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "consents", __name__, url_prefix="/api/identity/v1/me/consents", description="授权管理"
)


@blueprint.route("", methods=["GET"])
@blueprint.response(
    200, client_schemas.ConsentListSchema, example={"items": [client_schemas.CONSENT]}
)
@access(Role.APPLICANT, acting=True)
def list_consents() -> dict[str, Any]:
    """The systems one let know something (已同意的系统)."""
    with reading() as db:
        given = consents.list_given(db, actor().person_id or actor().id)
    return {
        "items": [
            {
                "client_id": client.client_id,
                "name": client.name,
                "scopes": consent.scopes,
                "given_at": consent.given_at,
            }
            for consent, client in given
        ]
    }


@blueprint.route("/<client_id>", methods=["DELETE"])
@blueprint.response(204)
@access(Role.APPLICANT, acting=True)
@while_frozen
def withdraw_consent(client_id: str) -> None:
    """Take a consent back (撤回同意); the system's refresh tokens end.

    404 `client-not-found`.
    """
    with transaction() as db:
        owner = actor().person_id or actor().id
        if not consents.withdraw(db, owner, client_id, now=now()):
            raise client_rules.NoClient
