"""HTTP for one's security questions; the answers never come back."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity import examples
from identity.accounts import actions as accounts
from identity.parts import parts
from identity.passwords import actions as passwords
from identity.security_questions import actions, rules
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "security_questions",
    __name__,
    url_prefix="/api/identity/v1/me/security-questions",
    description="密保问题",
)


class QuestionSchema(Schema):
    """One question to choose from."""

    code = fields.Str(required=True)
    text = fields.Str(required=True)


class QuestionsSchema(Schema):
    """All there are to choose from, and those the owner chose."""

    available = fields.List(fields.Nested(QuestionSchema), required=True)
    chosen = fields.List(fields.Str(), required=True)


class AnswerSchema(Schema):
    """One question with its answer."""

    question = fields.Str(required=True, validate=validate.Length(max=40))
    answer = fields.Str(required=True, validate=validate.Length(max=200))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> rules.Answer:
        return rules.Answer(**data)


class AnswersSchema(Schema):
    """Three answers, and the password that shows it is the owner who sets them."""

    current_password = fields.Str(required=True, validate=validate.Length(max=200))
    answers = fields.List(
        fields.Nested(AnswerSchema), required=True, validate=validate.Length(max=10)
    )


@blueprint.route("", methods=["GET"])
@blueprint.response(200, QuestionsSchema, example=examples.QUESTIONS)
@access(Role.APPLICANT, kinds=("person",))
def show() -> dict[str, Any]:
    """The questions to choose from, and one's own (密保问题)."""
    with reading() as db:
        chosen = actions.questions_of(db, actor().id)
    available = [{"code": code, "text": text} for code, text in rules.QUESTIONS.items()]
    return {"available": available, "chosen": chosen}


@blueprint.route("", methods=["PUT"])
@blueprint.arguments(AnswersSchema, example=examples.ANSWERS)
@blueprint.response(204)
@access(Role.APPLICANT, kinds=("person",))
def set_all(given: dict[str, Any]) -> None:
    """Set one's three questions (设置密保问题).

    409 `security-questions-closed`; 422 `security-questions-refused`, `new-password-refused` when
    the password is wrong; 429 `confirm-slowed-down`.
    """
    own = parts()
    with transaction() as db:
        account = accounts.find(db, actor().id)
        passwords.confirm(
            account,
            given["current_password"],
            hasher=own.hasher,
            counts=own.counts,
            now=now(),
        )
        actions.set_all(
            db,
            account,
            given["answers"],
            switched_on=own.settings.security_questions,
            hasher=own.hasher,
            now=now(),
        )
