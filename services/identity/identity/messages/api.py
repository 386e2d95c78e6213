"""HTTP for one's messages; a unit's are read by its own account and by whoever acts for it."""

from __future__ import annotations

from marshmallow import Schema, fields

from identity import examples
from identity.messages import actions, queries
from identity.messages.model import Message
from servicekit.web.access import access, while_frozen
from servicekit.web.api import Blueprint
from servicekit.web.paging import Page, PageArguments, PageOf, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "messages", __name__, url_prefix="/api/identity/v1/me/messages", description="消息"
)

_EVERYBODY = (Role.APPLICANT, Role.WINDOW, Role.REVIEWER, Role.APPROVER, Role.ADMIN)


class MessageSchema(Schema):
    """One message."""

    id = fields.Str(required=True)
    title = fields.Str(required=True)
    body = fields.Str(attribute="text", required=True)
    subject = fields.Str(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    read_at = fields.AwareDateTime(required=True, allow_none=True)


class UnreadSchema(Schema):
    """How many messages nobody has looked at."""

    unread = fields.Int(required=True)


@blueprint.route("", methods=["GET"])
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, page_schema(MessageSchema), example=examples.page(examples.MESSAGE))
@access(*_EVERYBODY, acting=True)
def list_messages(page: Page) -> PageOf[Message]:
    """One's messages, the newest first (我的消息)."""
    with reading() as db:
        mine = queries.messages_of(actor().id)
        return page_of(db, mine, page, by=(Message.created_at, Message.id))


@blueprint.route("/unread", methods=["GET"])
@blueprint.response(200, UnreadSchema, example=examples.UNREAD)
@access(*_EVERYBODY, acting=True)
def count_unread() -> dict[str, int]:
    """How many are unread (未读消息数)."""
    with reading() as db:
        return {"unread": queries.count_unread(db, actor().id)}


@blueprint.route("/read-all", methods=["POST"])
@blueprint.response(200, UnreadSchema, example=examples.NONE_UNREAD)
@access(*_EVERYBODY, acting=True)
@while_frozen
def mark_all_read() -> dict[str, int]:
    """Mark all as read (全部标为已读)."""
    with transaction() as db:
        actions.mark_all_read(db, account_id=actor().id, now=now())
        return {"unread": queries.count_unread(db, actor().id)}


@blueprint.route("/<message_id>/read", methods=["POST"])
@blueprint.response(200, MessageSchema, example=examples.MESSAGE)
@access(*_EVERYBODY, acting=True)
@while_frozen
def mark_read(message_id: str) -> Message:
    """Mark as read (标为已读)."""
    with transaction() as db:
        return actions.mark_read(db, message_id, account_id=actor().id, now=now())
