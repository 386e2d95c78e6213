"""HTTP for agencies: what clients entrust, and which of one's own people act (EA-13)."""

from __future__ import annotations

from typing import Any

from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import MANAGE
from employer_auth.bindings.schemas import NothingSchema, page
from employer_auth.entrustments import actions, queries, schemas
from employer_auth.entrustments.model import Entrustment
from servicekit.clock import shanghai_date
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.paging import Page, PageArguments, page_of
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

received = Blueprint(
    "received-entrustments",
    __name__,
    url_prefix="/received-entrustments",
    description="受托办理：本机构接受的委托",
)
managing = access(Role.APPLICANT, kinds=("unit",), grants=MANAGE, unit_account=True)


@received.route("", methods=["GET"])
@managing
@received.arguments(PageArguments, location="query")
@received.response(200, schemas.EntrustmentPageSchema, example=page(schemas.EXAMPLE_ENTRUSTMENT))
def list_received(wanted: Page) -> Any:
    """What clients entrust to one's agency, newest first, ended ones too."""
    with reading() as db:
        return page_of(db, queries.received_by(actor()), wanted, by=queries.NEWEST)


@received.route("/<entrustment_id>/accept", methods=["POST"])
@managing
@received.arguments(NothingSchema, example={})
@received.response(200, schemas.EntrustmentSchema, example=schemas.EXAMPLE_ENTRUSTMENT)
def accept(_: dict[str, Any], entrustment_id: str) -> Entrustment:
    """Agree to do it (接受委托).

    404 `entrustment-not-found`; 409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            actions.answer(db, entrustment_id, "accept", actor=actor(), now=now(), note=None)
        )


@received.route("/<entrustment_id>/decline", methods=["POST"])
@managing
@received.arguments(NoteSchema, example={"note": "不在本机构业务范围"})
@received.response(200, schemas.EntrustmentSchema, example=schemas.EXAMPLE_ENTRUSTMENT)
def decline(body: dict[str, Any], entrustment_id: str) -> Entrustment:
    """Refuse (拒绝委托).

    404 `entrustment-not-found`; 409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            actions.answer(
                db, entrustment_id, "decline", actor=actor(), now=now(), note=body["note"]
            )
        )


@received.route("/<entrustment_id>/agents", methods=["POST"])
@managing
@received.arguments(
    schemas.AssignmentSchema,
    example={
        "binding_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "businesses": [schemas.EXAMPLE_ITEM],
    },
)
@received.response(201, schemas.EntrustedAgentSchema, example=schemas.EXAMPLE_AGENT)
def assign(said: dict[str, Any], entrustment_id: str) -> Binding:
    """Name one of one's own agents, and what of the entrusted they do (指派经办人).

    404 `entrustment-not-found`, `binding-not-found`; 409 `entrustment-not-active`,
    `agent-not-own`, `already-bound`, `binding-suspended`, `grantee-level-too-low`; 422
    `beyond-entrusted`.
    """
    wishes = schemas.wishes_of(said["businesses"], shanghai_date(now()))
    with transaction() as db:
        return versions.tag(
            actions.assign(db, entrustment_id, said["binding_id"], wishes, actor=actor(), now=now())
        )
