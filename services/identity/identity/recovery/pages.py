"""Recovering at once: by phone, bank card or security questions; forms only, no script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson
from flask import Blueprint, Response, abort, request
from sqlalchemy.orm import Session

from identity.parts import parts
from identity.recovery import forms, proofs, rules, self_service
from identity.recovery.forms import typed
from identity.recovery.proofs import Card, NewPassword, Phone
from identity.security_questions.rules import NEEDED, QUESTIONS
from identity.sign_in import browser
from servicekit.errors import FieldError, Refusal
from servicekit.vault import CannotOpen
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "recovery_pages", __name__, url_prefix=f"{browser.PREFIX}/recovery", template_folder="templates"
)

_CARD: Final = ("name", "document_type", "document_number", "card_number", "phone", "sms_code")
_NEW: Final = ("password", "password_again")
_PROOF: Final = "recovery.proof"


class Way:
    """One page: its fields, its words, and what it does."""

    def __init__(
        self,
        names: tuple[str, ...],
        title: str,
        intro: str,
        work: Callable[[Session], Response],
        button: str = "找回用户名",
    ) -> None:
        self.names, self.title, self.intro, self.work = names, title, intro, work
        self.button = button

    def page(
        self, wrong: list[FieldError] | None = None, status: int = 200, told: str | None = None
    ) -> Response:
        """The form."""
        return forms.form_page(
            self.names,
            title=self.title,
            intro=self.intro,
            button=self.button,
            wrong=wrong,
            status=status,
            told=told,
        )


@blueprint.get("")
@public
def choose() -> Response:
    """The ways there are."""
    return browser.page("recovery.html", questions=parts().settings.security_questions)


@blueprint.get("/login-name/<way>")
@blueprint.get("/password/<way>")
@public
def show(way: str) -> Response:
    """The empty form."""
    return _way(way).page()


@blueprint.post("/login-name/<way>/code")
@blueprint.post("/password/<way>/code")
@public
def send_code(way: str) -> Response:
    """Send a code to the phone in the form, and show the form as it was."""
    told, wrong, status = forms.send_code(typed("phone"))
    return _way(way).page(wrong, status, told)


@blueprint.post("/login-name/<way>")
@blueprint.post("/password/<way>")
@public
def recover(way: str) -> Response:
    """Check the proofs. A refusal that follows a right code keeps the code used up."""
    page = _way(way)
    first = page.names[0]
    if not browser.is_own_form():
        return page.page(forms.stale(first), 400)
    if blank := forms.blank(page.names):
        return page.page(blank, 422)
    try:
        forms.slow_down()
        with transaction() as db:
            try:
                return page.work(db)
            except rules.RecoveryRefused as refusal:
                return page.page(forms.faults_of(refusal, first), 422)
    except Refusal as refusal:
        status = forms.status_of(refusal)
        return page.page(forms.faults_of(refusal, first), status)


@blueprint.post("/password/questions/answers")
@public
def answer() -> Response:
    """The second step: three answers and the new password."""
    proof = _open_proof(request.form.get("proof", ""))
    if not browser.is_own_form() or proof is None:
        return _way("questions").page(forms.stale("login_name"), 400)
    login_name, phone = proof
    new = NewPassword(typed("password"), typed("password_again"))
    answers = [typed(f"answer_{place}") for place in range(NEEDED)]
    try:
        forms.slow_down()
        with transaction() as db:
            self_service.reset_by_questions(
                db, login_name, phone, answers, new, means=_means(), now=now()
            )
    except Refusal as refusal:
        status = forms.status_of(refusal)
        wrong = forms.faults_of(refusal, "answer_0")
        with transaction() as db:
            return _questions_page(db, login_name, phone, wrong, status)
    return _done_password()


def _names_by_phone(db: Session) -> Response:
    return _done_names(self_service.names_by_phone(db, _phone(), means=_means(), now=now()))


def _names_by_card(db: Session) -> Response:
    names = self_service.names_by_card(db, _phone(), _card(), means=_means(), now=now())
    return _done_names(names)


def _reset_by_phone(db: Session) -> Response:
    self_service.reset_by_phone(
        db,
        typed("login_name"),
        typed("document_number"),
        _phone(),
        NewPassword(typed("password"), typed("password_again")),
        means=_means(),
        now=now(),
    )
    return _done_password()


def _reset_by_card(db: Session) -> Response:
    self_service.reset_by_card(
        db,
        typed("login_name"),
        _phone(),
        _card(),
        NewPassword(typed("password"), typed("password_again")),
        means=_means(),
        now=now(),
    )
    return _done_password()


def _ask_questions(db: Session) -> Response:
    proofs.prove(db, _phone(), means=_means(), now=now())
    return _questions_page(db, typed("login_name"), typed("phone"))


_BANK = "请填写本人的银行卡信息，由银行核验。"
_WAYS: Final = {
    ("login-name", "phone"): Way(
        ("phone", "sms_code"),
        "手机验证找回用户名",
        "请填写注册时绑定的手机号码。",
        _names_by_phone,
    ),
    ("login-name", "bank-card"): Way(_CARD, "银联认证找回用户名", _BANK, _names_by_card),
    ("password", "phone"): Way(
        ("login_name", "document_number", "phone", "sms_code", *_NEW),
        "手机验证重设密码",
        "请填写账号绑定的手机号码和注册时的证件号码。",
        _reset_by_phone,
        "重设密码",
    ),
    ("password", "bank-card"): Way(
        ("login_name", *_CARD, *_NEW), "银联认证重设密码", _BANK, _reset_by_card, "重设密码"
    ),
    ("password", "questions"): Way(
        ("login_name", "phone", "sms_code"),
        "密保问题重设密码",
        "请先验证账号绑定的手机，再回答您设置的三个密保问题。",
        _ask_questions,
        "下一步",
    ),
}


def _way(name: str) -> Way:
    goal = "login-name" if "/login-name/" in request.path else "password"
    found = _WAYS.get((goal, name))
    closed = name == "questions" and not parts().settings.security_questions
    if found is None or closed:
        abort(404)
    return found


def _phone() -> Phone:
    return Phone(typed("phone"), typed("sms_code"))


def _card() -> Card:
    kind = forms.document_type()
    if kind is None:
        wrong = FieldError("/document_type", "required", "请选择证件类型")
        raise rules.FormRefused(fields=[wrong])
    return Card(typed("name"), kind, typed("document_number"), typed("card_number"))


def _means() -> proofs.Means:
    own = parts()
    return proofs.Means(
        counts=own.counts,
        hasher=own.hasher,
        policy=own.password_policy,
        bank=own.bank_card,
        stop_address=forms.stop_address(),
    )


def _questions_page(
    db: Session,
    login_name: str,
    phone: str,
    wrong: list[FieldError] | None = None,
    status: int = 200,
) -> Response:
    codes = self_service.questions_for(db, login_name, phone, means=_means())
    return browser.page(
        "recovery-questions.html",
        status,
        proof=_seal_proof(login_name, phone),
        questions=[QUESTIONS[code] for code in codes],
        error=bool(wrong),
        errors=[(f.message, "#" + f.field[1:]) for f in wrong or []],
        wrong=forms.by_field(wrong or []),
    )


def _seal_proof(login_name: str, phone: str) -> str:
    until = (now() + rules.PROOF_LIFE).timestamp()
    told = orjson.dumps([login_name, phone, until]).decode()
    return parts().counts.vault.seal(told, _PROOF).hex()


def _open_proof(text: str) -> tuple[str, str] | None:
    """Who proved which phone; None when it is not ours or too old."""
    try:
        told = parts().counts.vault.open(bytes.fromhex(text), _PROOF)
    except (ValueError, CannotOpen):
        return None
    login_name, phone, until = orjson.loads(told)
    return (login_name, phone) if now().timestamp() < until else None


def _done_names(names: list[str]) -> Response:
    return browser.page("recovery-names.html", names=names)


def _done_password() -> Response:
    return browser.page("recovery-password-done.html")
