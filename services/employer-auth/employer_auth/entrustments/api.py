"""HTTP for units: what is entrusted to agencies, and who of them acts (委托代理机构)."""

from __future__ import annotations

from typing import Any

from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import MANAGE
from employer_auth.bindings.schemas import EXAMPLE_ENTRY, HistoryEntrySchema, page
from employer_auth.entrustments import actions, queries, schemas
from employer_auth.entrustments.model import Entrustment
from servicekit import history
from servicekit.clock import shanghai_date
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.paging import Page, PageArguments, page_of
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

entrustments = Blueprint(
    "entrustments",
    __name__,
    url_prefix="/entrustments",
    description="委托代理机构：人力资源服务机构代为办理",
)
managing = access(Role.APPLICANT, kinds=("unit",), grants=MANAGE, unit_account=True)


@entrustments.route("", methods=["GET"])
@managing
@entrustments.arguments(PageArguments, location="query")
@entrustments.response(
    200,
    schemas.EntrustmentPageSchema,
    example=page(schemas.EXAMPLE_ENTRUSTMENT),
)
def list_entrustments(wanted: Page) -> Any:
    """What one's unit entrusts to agencies, newest first, ended ones too."""
    with reading() as db:
        return page_of(db, queries.given_by(actor()), wanted, by=queries.NEWEST)


@entrustments.route("", methods=["POST"])
@managing
@entrustments.arguments(
    schemas.OfferSchema,
    example={"agency_uscc": "914403001922038216", "businesses": [schemas.EXAMPLE_ITEM]},
)
@entrustments.response(201, schemas.EntrustmentSchema, example=schemas.EXAMPLE_ENTRUSTMENT)
def offer(said: dict[str, Any]) -> Entrustment:
    """Ask an agency to do businesses for the unit (委托); it has to agree.

    404 `agency-not-found`, `business-not-found`; 409 `own-agency`, `already-entrusted`; 422
    `management-not-entrusted`, `no-action`, `action-not-offered`, `bad-grant-region`,
    `bad-validity`.
    """
    wishes = schemas.wishes_of(said["businesses"], shanghai_date(now()))
    with transaction() as db:
        return versions.tag(
            actions.offer(db, said["agency_uscc"], wishes, actor=actor(), now=now())
        )


@entrustments.route("/<entrustment_id>", methods=["GET"])
@managing
@entrustments.response(200, schemas.EntrustmentSchema, example=schemas.EXAMPLE_ENTRUSTMENT)
def show_entrustment(entrustment_id: str) -> Entrustment:
    """One entrustment, for either side.

    404 `entrustment-not-found`: there is none, or it is between others.
    """
    with reading() as db:
        return versions.tag(queries.find(db, entrustment_id, actor()))


@entrustments.route("/<entrustment_id>/cancel", methods=["POST"])
@managing
@entrustments.arguments(NoteSchema, example={"note": "改由本单位办理"})
@entrustments.response(200, schemas.EntrustmentSchema, example=schemas.EXAMPLE_ENTRUSTMENT)
def cancel(body: dict[str, Any], entrustment_id: str) -> Entrustment:
    """Take back an offer that was not answered yet (撤销).

    409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            actions.cancel(db, entrustment_id, actor=actor(), now=now(), note=body["note"])
        )


@entrustments.route("/<entrustment_id>/end", methods=["POST"])
@managing
@entrustments.arguments(NoteSchema, example={"note": "委托期满"})
@entrustments.response(200, schemas.EntrustmentSchema, example=schemas.EXAMPLE_ENTRUSTMENT)
def end(body: dict[str, Any], entrustment_id: str) -> Entrustment:
    """End it at once, from either side (终止委托); the agency's people act no more.

    409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            actions.end(db, entrustment_id, actor=actor(), now=now(), note=body["note"])
        )


@entrustments.route("/<entrustment_id>/businesses/<business>", methods=["DELETE"])
@managing
@entrustments.response(200, schemas.EntrustmentSchema, example=schemas.EXAMPLE_ENTRUSTMENT)
def withdraw(entrustment_id: str, business: str) -> Entrustment:
    """Take one business back, from the agency and all of its people at once.

    422 `beyond-entrusted`: the agency does not hold it.
    """
    with transaction() as db:
        return versions.tag(
            actions.withdraw(db, entrustment_id, business, actor=actor(), now=now())
        )


@entrustments.route("/<entrustment_id>/agents", methods=["GET"])
@managing
@entrustments.response(
    200, schemas.EntrustedAgentsSchema, example={"items": [schemas.EXAMPLE_AGENT]}
)
def list_entrusted_agents(entrustment_id: str) -> dict[str, list[Binding]]:
    """Who of the agency acts, or acted, for the client; for either side."""
    with reading() as db:
        return {"items": queries.agents(db, queries.find(db, entrustment_id, actor()))}


@entrustments.route("/<entrustment_id>/agents/<binding_id>/dismiss", methods=["POST"])
@managing
@entrustments.arguments(NoteSchema, example={"note": "人员调整"})
@entrustments.response(200, schemas.EntrustedAgentSchema, example=schemas.EXAMPLE_AGENT)
def dismiss(body: dict[str, Any], entrustment_id: str, binding_id: str) -> Binding:
    """Take one of the agency's people off, from either side, at once.

    404 `binding-not-found`; 409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            actions.dismiss(
                db, entrustment_id, binding_id, actor=actor(), now=now(), note=body["note"]
            )
        )


@entrustments.route("/<entrustment_id>/history", methods=["GET"])
@managing
@entrustments.response(200, HistoryEntrySchema(many=True), example=[EXAMPLE_ENTRY])
def list_entrustment_history(entrustment_id: str) -> list[history.Entry]:
    """What happened to an entrustment, oldest first; for either side (EA-11)."""
    with reading() as db:
        return history.list_history(db, queries.find(db, entrustment_id, actor()).id)
