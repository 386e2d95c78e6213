"""The page on which a person sets three security questions; no script."""

from __future__ import annotations

from flask import Blueprint, Response, request

from identity.parts import parts
from identity.passwords import actions as passwords
from identity.security_questions import actions, rules
from identity.sign_in import browser, entrance
from servicekit.errors import Refusal
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "security_question_pages",
    __name__,
    url_prefix=f"{browser.SECURITY}/questions",
    template_folder="templates",
)

_LONGEST_FIELD = 200


@blueprint.get("")
@public
def show() -> Response:
    """The form, without the answers that are kept."""
    with transaction() as db:
        subject = entrance.owner(db)
        if subject is None:
            return entrance.to_login_first()
        return _page(actions.questions_of(db, subject.account.id))


@blueprint.post("")
@public
def set_all() -> Response:
    """Set the three questions."""
    own = parts()
    answers = [
        rules.Answer(_typed(f"question_{place}"), _typed(f"answer_{place}"))
        for place in range(rules.NEEDED)
    ]
    chosen = [a.question for a in answers]
    with transaction() as db:
        subject = entrance.owner(db)
        if subject is None or not browser.is_own_form():
            return entrance.to_login_first()
        try:
            passwords.confirm(
                subject.account,
                _typed("current_password"),
                hasher=own.hasher,
                counts=own.counts,
                now=now(),
            )
            actions.set_all(
                db,
                subject.account,
                answers,
                switched_on=own.settings.security_questions,
                hasher=own.hasher,
                now=now(),
            )
        except Refusal as refusal:
            wrong = [(f.message, f.field) for f in refusal.fields]
            return _page(chosen, wrong or [(refusal.message, "/answers")], 422)
    return browser.go(f"{browser.SECURITY}?done=questions")


def _page(
    chosen: list[str], wrong: list[tuple[str, str]] | None = None, status: int = 200
) -> Response:
    wrong = wrong or []
    return browser.page(
        "questions.html",
        status,
        places=range(rules.NEEDED),
        questions=rules.QUESTIONS.items(),
        chosen=chosen,
        error=bool(wrong),
        errors=[(message, "#" + _id(pointer)) for message, pointer in wrong],
        wrong={_id(pointer): message for message, pointer in wrong},
    )


def _id(pointer: str) -> str:
    """``/answers/1/answer`` is the box ``answer_1``."""
    _, _, rest = pointer.removeprefix("/").partition("/")
    place, _, what = rest.partition("/")
    if not rest:
        return "question_0" if pointer == "/answers" else pointer.removeprefix("/")
    return f"{what}_{place}"


def _typed(name: str) -> str:
    return request.form.get(name, "")[:_LONGEST_FIELD]
