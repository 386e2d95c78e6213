"""Cases with photographs: opened, filed, corrected; forms only, no script."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from identity.accounts import agreements
from identity.parts import parts
from identity.recovery import actions, forms, queries, rules
from identity.recovery.forms import typed
from identity.recovery.queries import Recovery
from identity.recovery.rules import Goal, Matter, Side, matter_of
from identity.sign_in import browser
from servicekit.errors import FieldError, Refusal
from servicekit.file_kinds import FileKind
from servicekit.identifiers import unit_number
from servicekit.web.access import large_body, public
from servicekit.web.session import app, now, transaction

blueprint = Blueprint(
    "recovery_case_pages",
    __name__,
    url_prefix=f"{browser.PREFIX}/recovery",
    template_folder="templates",
)

_PERSON: Final = ("contact_name", "document_type", "document_number", "region", "phone", "sms_code")
_UNIT: Final = (
    "certificate_number",
    "unit_name",
    "region",
    "contact_name",
    "phone",
    "sms_code",
)


@blueprint.get("/photos/<name>")
@public
def show(name: str) -> Response:
    """The empty form of one of the four cases."""
    return _open_page(_matter(name))


@blueprint.post("/photos/<name>/code")
@public
def send_code(name: str) -> Response:
    """Send a code to the phone that will be told the result."""
    told, wrong, status = forms.send_code(typed("phone"))
    return _open_page(_matter(name), wrong, status, told)


@blueprint.post("/photos/<name>")
@public
def open_case(name: str) -> Response:
    """Keep what was typed, then to the photographs; the same whether it matches or not."""
    matter = _matter(name)
    if not browser.is_own_form():
        return _open_page(matter, forms.stale(_names(matter)[0]), 400)
    if blank := forms.blank(_names(matter)):
        return _open_page(matter, blank, 422)
    form = actions.Form(
        contact_name=typed("contact_name"),
        phone=typed("phone"),
        sms_code=typed("sms_code"),
        region=typed("region"),
        document_type=forms.document_type(),
        document_number=typed("document_number"),
        login_name=typed("login_name"),
        certificate_number=unit_number(typed("certificate_number")),
        unit_name=typed("unit_name"),
    )
    try:
        forms.slow_down()
        with transaction() as db:
            case, code = actions.open_case(db, matter, form, counts=parts().counts, now=now())
            response = browser.go(f"{browser.PREFIX}/recovery/files")
            forms.remember_case(response, case, code)
            return response
    except Refusal as refusal:
        status = forms.status_of(refusal)
        return _open_page(matter, forms.faults_of(refusal, _names(matter)[0]), status)


@blueprint.get("/files")
@public
def show_files() -> Response:
    """Which photographs are needed."""
    with transaction() as db:
        case, _ = _own_case(db)
        return _to_status() if case is None else _files_page(case)


@blueprint.post("/files")
@large_body(rules.LARGEST_FORM)
@public
def send_files() -> Response:
    """Take the photographs, one after the other, and file the case."""
    with transaction() as db:
        case, code = _own_case(db)
        if case is None:
            return _to_status()
        if not browser.is_own_form():
            return _files_page(case, [FieldError("/files", "form-stale", browser.STALE_FORM)], 400)
        case_id, needed = case.id, case.matter.needed
    consented = actions.is_read(typed("consent"))  # without it not a byte of them is kept
    taken, wrong = _receive(case_id, needed) if consented else ({}, [rules.CONSENT_NEEDED])
    own = parts()
    with transaction() as db:
        again = queries.get_case(db, case_id)
        if again is None or not rules.may_correct(again.state):
            return _to_status()
        if wrong:
            return _files_page(again, wrong, 422)
        try:
            with db.begin_nested():
                actions.submit(
                    db,
                    again,
                    taken,
                    consent=typed("consent"),
                    uploads=own.uploads,
                    code=code,
                    now=now(),
                )
        except Refusal as refusal:
            return _files_page(again, forms.faults_of(refusal, "files"), 422)
        return browser.page("recovery-filed.html", case=again, code=rules.shown_code(code))


def _receive(case_id: str, needed: tuple[FileKind, ...]) -> tuple[dict[str, str], list[FieldError]]:
    """Take each file outside of any transaction; say of every one what is wrong with it."""
    own, taken, wrong = parts(), {}, []
    for kind in needed:
        sent: FileStorage | None = request.files.get(kind.code)
        data = sent.stream.read(kind.limit + 1) if sent is not None else b""
        if not data:
            wrong.append(FieldError(f"/{kind.code}", "file-missing", f"请上传{kind.label}"))
            continue
        try:
            row = own.uploads.receive(
                app().database, data, kind.code, owner_id=case_id, uploaded_by=case_id, now=now()
            )
            taken[kind.code] = row.id
        except Refusal as refusal:
            wrong.append(
                FieldError(f"/{kind.code}", refusal.code, f"{kind.label}：{refusal.message}")
            )
    return taken, wrong


def _own_case(db: Session) -> tuple[Recovery | None, str]:
    """The case this browser works on, while its photographs may be sent."""
    case, code = forms.case_of_browser(db)
    return (case, code) if case is not None and rules.may_correct(case.state) else (None, "")


def _matter(name: str) -> Matter:
    found = matter_of(name)
    if found is None:
        abort(404)
    return found


def _names(matter: Matter) -> tuple[str, ...]:
    if matter.side is Side.UNIT:
        return _UNIT
    return ("login_name", *_PERSON) if matter.goal is Goal.PASSWORD else _PERSON


def _open_page(
    matter: Matter,
    wrong: list[FieldError] | None = None,
    status: int = 200,
    told: str | None = None,
) -> Response:
    unit = matter.side is Side.UNIT
    labels = {"phone": "接收结果的手机号码"}
    labels |= {"contact_name": "经办人姓名"} if unit else {}
    papers = "、".join(kind.label for kind in matter.needed)
    return forms.form_page(
        _names(matter),
        title=matter.title,
        intro=f"下一步需上传：{papers}。工作人员将在 1–2 个工作日内审核，结果以短信告知。",
        button="下一步",
        wrong=wrong,
        status=status,
        told=told,
        labels=labels,
    )


def _files_page(
    case: Recovery, wrong: list[FieldError] | None = None, status: int = 200
) -> Response:
    return browser.page(
        "recovery-files.html",
        status,
        matter=case.matter,
        reason=case.decision_reason,
        consent=agreements.find(rules.PHOTO_CONSENT),
        agreed=bool(typed("consent")),
        marked={pointer.removeprefix("/files/") for pointer in case.fields_to_correct},
        error=bool(wrong),
        errors=[(f.message, "#" + f.field[1:]) for f in wrong or []],
        wrong={f.field[1:]: f.message for f in wrong or []},
    )


def _to_status() -> Response:
    return browser.go(f"{browser.PREFIX}/recovery/status")
