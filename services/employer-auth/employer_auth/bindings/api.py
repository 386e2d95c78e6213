"""HTTP for units: 子账号信息, by the unit's own account or an agent who manages."""

from __future__ import annotations

from datetime import date
from typing import Any

from employer_auth.bindings import actions, queries, rules, schemas
from employer_auth.bindings.model import Binding
from employer_auth.parts import parts
from servicekit import history
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

sub_accounts = Blueprint(
    "sub-accounts",
    __name__,
    url_prefix="/sub-accounts",
    description="子账号信息：我的经办人",
)
binding_history = Blueprint(
    "binding-history",
    __name__,
    url_prefix="/binding-history",
    description="绑定与授权记录：本单位的全部变更",
)
managing = access(Role.APPLICANT, kinds=("unit",), grants=rules.MANAGE, unit_account=True)


@sub_accounts.route("", methods=["GET"])
@managing
@sub_accounts.arguments(schemas.FiltersSchema, location="query")
@sub_accounts.response(
    200,
    page_schema(schemas.SubAccountSchema),
    example=schemas.page(schemas.EXAMPLE_SUB_ACCOUNT),
)
def list_sub_accounts(query: tuple[queries.Filters, Page]) -> Any:
    """Everybody the unit has bound or asked, newest first (子账号信息)."""
    filters, page = query
    with reading() as db:
        return page_of(db, queries.of_unit(actor(), filters), page, by=queries.NEWEST)


@sub_accounts.route("", methods=["POST"])
@managing
@sub_accounts.arguments(
    schemas.InvitationSchema,
    example={
        "login_name": "linxiaoman",
        "name": "林小满",
        "document_number": "440106199001010012",
        "valid_until": "2027-11-20",
    },
)
@sub_accounts.response(201, schemas.SubAccountSchema, example=schemas.EXAMPLE_SUB_ACCOUNT)
def invite(asked: schemas.Asked) -> Binding:
    """Ask a person to act for the unit (新增 → 发起绑定); the person has to agree.

    404 `bind-user-not-found` for everything that does not match; 409 `person-not-verified`,
    `already-bound`, `unit-not-known-yet` with `Retry-After`; 422 `bad-validity`; 429
    `too-many-invitations`, `too-many-matches`; 503 with `retryable`.
    """
    own, settings = parts(), parts().settings
    with own.apart.transaction() as db:  # kept whatever becomes of the request
        actions.count_try(db, actor().id, allowance=settings.invitations_per_hour, now=now())
    found = own.person_match.find(asked.login_name, asked.name, asked.document_number)
    if found is None:
        raise rules.PersonNotFound
    invitation = actions.Invitation(
        found.account_id, found.level, asked.name, asked.login_name, asked.valid_until
    )
    with transaction() as db:
        return versions.tag(
            actions.invite(db, invitation, actor=actor(), now=now(), days=settings.invitation_days)
        )


@sub_accounts.route("/<binding_id>", methods=["GET"])
@managing
@sub_accounts.response(200, schemas.SubAccountSchema, example=schemas.EXAMPLE_SUB_ACCOUNT)
def show_sub_account(binding_id: str) -> Binding:
    """One sub-account.

    404 `binding-not-found`: there is none, or it is another unit's.
    """
    with reading() as db:
        return versions.tag(queries.find_of_unit(db, binding_id, actor()))


@sub_accounts.route("/<binding_id>", methods=["PATCH"])
@managing
@sub_accounts.arguments(schemas.ValiditySchema, example={"valid_until": "2028-11-20"})
@sub_accounts.response(200, schemas.SubAccountSchema, example=schemas.EXAMPLE_SUB_ACCOUNT)
def change_validity(change: dict[str, date | None], binding_id: str) -> Binding:
    """Set or lift the last day of the binding (修改有效期).

    409 `binding-not-active`; 412 `changed-meanwhile`; 422 `bad-validity`; 428 without If-Match.
    """
    seen = versions.expected_version()
    with transaction() as db:
        return versions.tag(
            actions.change_validity(
                db, binding_id, change["valid_until"], actor=actor(), now=now(), seen=seen
            )
        )


@sub_accounts.route("/<binding_id>/cancel", methods=["POST"])
@managing
@sub_accounts.arguments(NoteSchema, example={"note": "信息填写有误"})
@sub_accounts.response(200, schemas.SubAccountSchema, example=schemas.EXAMPLE_SUB_ACCOUNT)
def cancel(body: dict[str, Any], binding_id: str) -> Binding:
    """Take an invitation back that was not answered yet (撤销).

    409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            actions.cancel(db, binding_id, actor=actor(), now=now(), note=body["note"])
        )


@sub_accounts.route("/<binding_id>/release", methods=["POST"])
@managing
@sub_accounts.arguments(NoteSchema, example={"note": "人员离职"})
@sub_accounts.response(200, schemas.SubAccountSchema, example=schemas.EXAMPLE_SUB_ACCOUNT)
def release(body: dict[str, Any], binding_id: str) -> Binding:
    """End the binding at once (解除绑定); tokens of the person for this unit are worth nothing.

    409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            actions.release(db, binding_id, actor=actor(), now=now(), note=body["note"])
        )


@sub_accounts.route("/<binding_id>/history", methods=["GET"])
@managing
@sub_accounts.response(200, schemas.HistoryEntrySchema(many=True), example=[schemas.EXAMPLE_ENTRY])
def list_history(binding_id: str) -> list[history.Entry]:
    """What happened to a binding and its grants, oldest first (EA-11)."""
    with reading() as db:
        return history.list_history(db, queries.find_of_unit(db, binding_id, actor()).id)


@binding_history.route("", methods=["GET"])
@managing
@binding_history.arguments(PageArguments, location="query")
@binding_history.response(
    200,
    page_schema(schemas.UnitEntrySchema),
    example=schemas.page(schemas.EXAMPLE_UNIT_ENTRY),
)
def list_unit_history(page: Page) -> Any:
    """What happened to all bindings of the unit and their grants, newest first (EA-11)."""
    with reading() as db:
        return page_of(db, queries.entries_of_unit(actor()), page, by=queries.NEWEST_ENTRY)
