"""HTTP for admins: find an account, see it masked, look with a reason, lock and let in again."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity import admin_examples, examples
from identity.accounts.model import Account
from identity.accounts.rules import Kind, Standing
from identity.administration import actions, queries
from identity.administration.rules import Clear
from servicekit import history
from servicekit.web.access import access, unkeyed
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "administration", __name__, url_prefix="/api/identity/v1", description="账号管理"
)


class WhySchema(Schema):
    """Why; kept with who and when."""

    reason = fields.Str(required=True, validate=validate.Length(1, 200))


class SoughtSchema(Schema):
    """Exactly one of them; in the body, because addresses are logged."""

    login_name = fields.Str(load_default=None, validate=validate.Length(1, 100))
    document_number = fields.Str(load_default=None, validate=validate.Length(1, 40))
    phone = fields.Str(load_default=None, validate=validate.Length(1, 40))
    certificate_number = fields.Str(load_default=None, validate=validate.Length(1, 40))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> queries.Sought:
        return queries.Sought(**data)


class FoundSchema(Schema):
    """An account as an admin sees it: everything personal masked."""

    id = fields.Str(attribute="account.id", required=True)
    kind = fields.Enum(Kind, by_value=True, attribute="account.kind", required=True)
    standing = fields.Enum(Standing, by_value=True, attribute="account.standing", required=True)
    level = fields.Int(attribute="account.level", required=True)
    login_name = fields.Function(lambda s: str(s.account.login_name), required=True)
    phone = fields.Str(attribute="account.phone", required=True)
    name = fields.Str(attribute="shown_name", required=True)
    document_type = fields.Function(lambda s: s.person and s.person.document_type, required=True)
    document_number = fields.Function(
        lambda s: s.person and str(s.person.document_number), required=True
    )
    certificate_number = fields.Function(lambda s: s.unit and s.unit.certificate_number)
    region = fields.Str(required=True, allow_none=True)
    migrated_twice = fields.Function(lambda s: bool(s.person and s.person.migrated_twice))
    created_at = fields.AwareDateTime(attribute="account.created_at", required=True)


class FoundListSchema(Schema):
    """The accounts found; never many, for a search is exact."""

    items = fields.List(fields.Nested(FoundSchema), required=True)


class DeedSchema(Schema):
    """One thing an admin did to the account."""

    move = fields.Str(required=True)
    before = fields.Str(required=True)
    after = fields.Str(required=True)
    actor_id = fields.Str(required=True)
    at = fields.AwareDateTime(required=True)
    note = fields.Str(required=True, allow_none=True)


class AccountRecordSchema(Schema):
    """The account, and everything admins did to it."""

    account = fields.Nested(FoundSchema, required=True)
    record = fields.List(fields.Nested(DeedSchema), required=True)


class RevealSchema(WhySchema):
    """Which value, and why."""

    field = fields.Enum(Clear, by_value=True, required=True)


class RevealedSchema(Schema):
    """The clear value; whoever asked is on record."""

    value = fields.Str(required=True)


class StandingSchema(Schema):
    """Whether an account may sign in."""

    id = fields.Str(required=True)
    standing = fields.Enum(Standing, by_value=True, required=True)


@blueprint.route("/account-searches", methods=["POST"])
@blueprint.arguments(SoughtSchema, example=admin_examples.ACCOUNT_SOUGHT)
@blueprint.response(200, FoundListSchema, example=admin_examples.ACCOUNTS_FOUND)
@unkeyed
@access(Role.ADMIN)
def search(sought: queries.Sought) -> dict[str, Any]:
    """Find accounts by login name, document, phone or unit number, exactly (账号查询).

    422 `account-search-refused` unless exactly one is given.
    """
    with reading() as db:
        return {"items": queries.search(db, sought, region=actor().region)}


@blueprint.route("/accounts/<account_id>", methods=["GET"])
@blueprint.response(200, AccountRecordSchema, example=admin_examples.ACCOUNT_RECORD)
@access(Role.ADMIN)
def show(account_id: str) -> dict[str, Any]:
    """An account, masked, with everything admins did to it; 403 `account-not-yours`."""
    with reading() as db:
        shown = actions.find_covered(db, account_id, by=actor())
        return {"account": shown, "record": history.list_history(db, account_id)}


@blueprint.route("/accounts/<account_id>/reveals", methods=["POST"])
@blueprint.arguments(RevealSchema, example=admin_examples.REVEAL)
@blueprint.response(200, RevealedSchema, example=admin_examples.REVEALED)
@access(Role.ADMIN)
def reveal(asked: dict[str, Any], account_id: str) -> dict[str, str]:
    """One clear value, on record with its reason (查看明文).

    422 `reason-required`, `value-not-there`; 403 `account-not-yours`.
    """
    with transaction() as db:
        value = actions.reveal(
            db, account_id, asked["field"], reason=asked["reason"], by=actor(), now=now()
        )
    return {"value": value}


@blueprint.route("/accounts/<account_id>/lock", methods=["POST"])
@blueprint.arguments(WhySchema, example=admin_examples.REASON)
@blueprint.response(200, StandingSchema, example=examples.STANDING)
@access(Role.ADMIN)
def lock(given: dict[str, str], account_id: str) -> Account:
    """Lock an account: its sessions end everywhere (锁定账号).

    404 `account-not-found`; 409 `account-not-active`; 403 `account-not-yours`.
    """
    with transaction() as db:
        return actions.lock(db, account_id, reason=given["reason"], by=actor(), now=now())


@blueprint.route("/accounts/<account_id>/unlock", methods=["POST"])
@blueprint.arguments(WhySchema, example=admin_examples.REASON)
@blueprint.response(200, StandingSchema, example=examples.STANDING)
@access(Role.ADMIN)
def unlock(given: dict[str, str], account_id: str) -> Account:
    """Let a locked account in again (解除锁定).

    404 `account-not-found`; 409 `account-not-locked`; 403 `account-not-yours`.
    """
    with transaction() as db:
        return actions.unlock(db, account_id, reason=given["reason"], by=actor(), now=now())
