"""HTTP for persons: 父账号信息, always with the personal account."""

from __future__ import annotations

from typing import Any

from employer_auth.bindings import actions, queries, schemas
from employer_auth.bindings.model import Binding
from servicekit import history
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.paging import Page, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

parent_accounts = Blueprint(
    "parent-accounts",
    __name__,
    url_prefix="/parent-accounts",
    description="父账号信息：我经办的法人",
)
person = access(Role.APPLICANT, kinds=("person",))
verified = access(Role.APPLICANT, level=2, kinds=("person",))


@parent_accounts.route("", methods=["GET"])
@person
@parent_accounts.arguments(schemas.FiltersSchema, location="query")
@parent_accounts.response(
    200,
    page_schema(schemas.ParentAccountSchema),
    example=schemas.page(schemas.EXAMPLE_PARENT_ACCOUNT),
)
def list_parent_accounts(query: tuple[queries.Filters, Page]) -> Any:
    """The units that ask for one, and those one acts for, newest first (父账号信息)."""
    filters, page = query
    with reading() as db:
        return page_of(db, queries.of_person(actor(), filters), page, by=queries.NEWEST)


@parent_accounts.route("/<binding_id>", methods=["GET"])
@person
@parent_accounts.response(200, schemas.ParentAccountSchema, example=schemas.EXAMPLE_PARENT_ACCOUNT)
def show_parent_account(binding_id: str) -> Binding:
    """One unit's invitation or binding.

    404 `binding-not-found`: there is none, or it is somebody else's.
    """
    with reading() as db:
        return versions.tag(queries.find_of_person(db, binding_id, actor()))


@parent_accounts.route("/<binding_id>/accept", methods=["POST"])
@verified
@parent_accounts.arguments(schemas.NothingSchema, example={})
@parent_accounts.response(200, schemas.ParentAccountSchema, example=schemas.EXAMPLE_PARENT_ACCOUNT)
def accept(_: dict[str, Any], binding_id: str) -> Binding:
    """Agree to act for the unit (通过).

    401 below level 2, with the ways to raise it; 409 `wrong-state`, `invitation-lapsed`,
    `binding-suspended`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(actions.accept(db, binding_id, actor=actor(), now=now(), seen=seen))


@parent_accounts.route("/<binding_id>/decline", methods=["POST"])
@person
@parent_accounts.arguments(NoteSchema, example={"note": "不是本单位人员"})
@parent_accounts.response(200, schemas.ParentAccountSchema, example=schemas.EXAMPLE_PARENT_ACCOUNT)
def decline(body: dict[str, Any], binding_id: str) -> Binding:
    """Refuse (不通过).

    409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            actions.decline(db, binding_id, actor=actor(), now=now(), note=body["note"])
        )


@parent_accounts.route("/<binding_id>/leave", methods=["POST"])
@person
@parent_accounts.arguments(NoteSchema, example={"note": "已离职"})
@parent_accounts.response(200, schemas.ParentAccountSchema, example=schemas.EXAMPLE_PARENT_ACCOUNT)
def leave(body: dict[str, Any], binding_id: str) -> Binding:
    """Stop acting for the unit, at once (解除绑定).

    409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            actions.leave(db, binding_id, actor=actor(), now=now(), note=body["note"])
        )


@parent_accounts.route("/<binding_id>/history", methods=["GET"])
@person
@parent_accounts.response(
    200, schemas.HistoryEntrySchema(many=True), example=[schemas.EXAMPLE_ENTRY]
)
def list_own_history(binding_id: str) -> list[history.Entry]:
    """What happened to one's own binding, oldest first."""
    with reading() as db:
        return history.list_history(db, queries.find_of_person(db, binding_id, actor()).id)
