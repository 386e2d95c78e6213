"""HTTP for admins: duplicates side by side, and what becomes of them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity import admin_examples, examples
from identity.administration.api import FoundSchema
from identity.duplicates import actions, queries
from identity.duplicates.model import Resolution
from identity.duplicates.rules import By, Outcome, Way
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.paging import Page, PageArguments, PageOf, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint("duplicates", __name__, url_prefix="/api/identity/v1", description="重复账号")


class DuplicatesAskedSchema(Schema):
    """What the accounts have in common."""

    by = fields.Enum(By, by_value=True, load_default=By.DOCUMENT)
    after = fields.Str(load_default="", validate=validate.Length(max=36))


class GroupSchema(Schema):
    """Accounts that look like one person's, the oldest first."""

    by = fields.Enum(By, by_value=True, required=True)
    accounts = fields.List(fields.Nested(FoundSchema), required=True)


class GroupListSchema(Schema):
    """The groups; send the first account's id of the last group as ``after`` for more."""

    items = fields.List(fields.Nested(GroupSchema), required=True)


class ProposalSchema(Schema):
    """Which stays, which is given up, how, and why."""

    kept_id = fields.Str(required=True, validate=validate.Length(max=36))
    given_up_id = fields.Str(required=True, validate=validate.Length(max=36))
    way = fields.Enum(Way, by_value=True, required=True)
    reason = fields.Str(required=True, validate=validate.Length(1, 200))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> actions.Proposal:
        return actions.Proposal(**data)


class ResolutionSchema(Schema):
    """A proposal and what became of it."""

    id = fields.Str(required=True)
    way = fields.Enum(Way, by_value=True, required=True)
    outcome = fields.Enum(Outcome, by_value=True, required=True)
    kept_id = fields.Str(required=True)
    given_up_id = fields.Str(required=True)
    reason = fields.Str(required=True)
    proposed_by = fields.Str(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    decided_by = fields.Str(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)


@blueprint.route("/duplicates", methods=["GET"])
@blueprint.arguments(DuplicatesAskedSchema, location="query")
@blueprint.response(200, GroupListSchema, example=admin_examples.DUPLICATES)
@access(Role.ADMIN)
def list_groups(asked: dict[str, Any]) -> dict[str, Any]:
    """Accounts that look like one person's, side by side (重复账号)."""
    with reading() as db:
        region = actor().region
        return {"items": queries.list_groups(db, asked["by"], region=region, after=asked["after"])}


@blueprint.route("/duplicate-resolutions", methods=["POST"])
@blueprint.arguments(ProposalSchema, example=admin_examples.PROPOSAL)
@blueprint.response(201, ResolutionSchema, example=admin_examples.RESOLUTION)
@access(Role.ADMIN)
def propose(proposal: actions.Proposal) -> Resolution:
    """Propose to merge two accounts or to cancel one; another admin confirms (合并、注销).

    422 `resolution-refused`, `reason-required`; 409 `account-still-tied`, `resolution-under-way`;
    403 `account-not-yours`: persons are the province's.
    """
    with transaction() as db:
        return actions.propose(db, proposal, by=actor(), now=now())


@blueprint.route("/duplicate-resolutions", methods=["GET"])
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(
    200, page_schema(ResolutionSchema), example=examples.page(admin_examples.RESOLUTION)
)
@access(Role.ADMIN)
def list_resolutions(page: Page) -> PageOf[Resolution]:
    """What was proposed and decided, the newest first (处理记录)."""
    with reading() as db:
        by = (Resolution.proposed_at, Resolution.id)
        return page_of(db, queries.resolutions(actor().region), page, by=by)


@blueprint.route("/duplicate-resolutions/<resolution_id>/confirm", methods=["POST"])
@blueprint.arguments(NoteSchema, example=admin_examples.NOTE)
@blueprint.response(200, ResolutionSchema, example=admin_examples.RESOLUTION)
@access(Role.ADMIN)
def confirm(given: dict[str, Any], resolution_id: str) -> Resolution:
    """Carry it out, as another admin than the one who proposed it (确认).

    403 `same-admin`; 409 `resolution-decided`, `account-still-tied`; 404 `resolution-not-found`.
    """
    with transaction() as db:
        return actions.confirm(db, resolution_id, **given, by=actor(), now=now())


@blueprint.route("/duplicate-resolutions/<resolution_id>/refuse", methods=["POST"])
@blueprint.arguments(NoteSchema, example=admin_examples.NOTE)
@blueprint.response(200, ResolutionSchema, example=admin_examples.RESOLUTION)
@access(Role.ADMIN)
def refuse(given: dict[str, Any], resolution_id: str) -> Resolution:
    """Leave both accounts as they are (不同意); 422 `reason-required`."""
    with transaction() as db:
        return actions.refuse(db, resolution_id, **given, by=actor(), now=now())
