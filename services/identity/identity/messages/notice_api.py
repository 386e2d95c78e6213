"""HTTP for other services that have something to tell a person or a unit."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity import examples
from identity.messages import actions, queries, rules
from identity.messages.model import Notice
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, app, bearer_token, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "notices", __name__, url_prefix="/api/identity/v1/notices", description="通知"
)

_WORD = validate.Length(max=200)


class NoticeSchema(Schema):
    """Whom to tell what; `words` fill the template's places and may hold a secret code."""

    account_id = fields.Str(required=True, validate=validate.Length(1, 36))
    to = fields.Enum(rules.To, by_value=True, required=True)
    template = fields.Str(required=True, validate=validate.Length(1, 60))
    words = fields.Dict(
        keys=fields.Str(validate=_WORD), values=fields.Str(validate=_WORD), required=True
    )
    sms = fields.Bool(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> actions.Wish:
        return actions.Wish(**data)


class NoticeSentSchema(Schema):
    """The notice's id, and where its SMS is; `null` where none is sent."""

    id = fields.Str(required=True)
    template = fields.Str(required=True)
    template_version = fields.Int(required=True)
    test = fields.Bool(required=True)
    sms = fields.Enum(
        rules.DeliveryState,
        by_value=True,
        attribute="delivery.state",
        dump_default=None,
        allow_none=True,
        required=True,
    )


@blueprint.route("", methods=["POST"])
@blueprint.arguments(NoticeSchema, example=examples.NOTICE)
@blueprint.response(202, NoticeSentSchema, example=examples.NOTICE_SENT)
@access(Role.SYSTEM, scopes=(rules.NOTICES,))
def send(wish: actions.Wish) -> Notice:
    """Tell a person, a unit, or a unit's legal representative (发送通知).

    A client that has the scope `notices.test` too rehearses: everything is checked, nothing sent.
    404 `notice-recipient-not-found`; 422 `notice-refused`.
    """
    with transaction() as db:
        notice = actions.send_notice(db, wish, client_id=actor().id, scopes=_scopes(), now=now())
        db.flush()
        return notice


@blueprint.route("/<notice_id>", methods=["GET"])
@blueprint.response(200, NoticeSentSchema, example=examples.NOTICE_SENT)
@access(Role.SYSTEM, scopes=(rules.NOTICES,))
def show(notice_id: str) -> Notice:
    """Where a notice of one's own is (通知的送达状态)."""
    with reading() as db:
        return queries.find_notice(db, notice_id, client_id=actor().id)


def _scopes() -> frozenset[str]:
    claims = app().verifier.verify(bearer_token() or "")  # verified a moment ago, so remembered
    return claims.scopes
