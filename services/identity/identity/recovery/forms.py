"""The fields of the recovery pages, in one table: what they are called, and how they are typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Response, request
from sqlalchemy.orm import Session

from identity.parts import client_address, parts
from identity.recovery import queries, rules, stops
from identity.recovery.queries import Recovery
from identity.sign_in import browser
from identity.sms_codes import actions as sms_codes
from identity.sms_codes.rules import PAUSE, Purpose
from servicekit import regions
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import DocumentKind
from servicekit.web.session import now, transaction

CASE_COOKIE: Final = "__Host-identity-recovery"
PROVINCE: Final = "44"
SECRET: Final = frozenset({"password", "password_again", "sms_code", "card_number"})
_LONGEST_FIELD: Final = 200
_SENT: Final = (
    f"验证码已发送，请查看短信。{int(PAUSE.total_seconds())} 秒后可重新获取。密码等内容请重新填写。"
)


@dataclass(frozen=True, slots=True)
class Field:
    """One box of a form."""

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    complete: str = "off"
    longest: int = 60


FIELDS: Final = {
    f.name: f
    for f in (
        Field("login_name", "用户名", complete="username", longest=20),
        Field("name", "姓名", complete="name"),
        Field("document_type", "证件类型", kind="document"),
        Field("document_number", "证件号码", longest=40),
        Field("card_number", "银行卡号", hint="本人的银联借记卡或信用卡。", longest=30),
        Field("phone", "手机号码", kind="tel", complete="tel-national", longest=11),
        Field("sms_code", "短信验证码", kind="code", longest=6),
        Field(
            "password",
            "新密码",
            kind="password",
            complete="new-password",
            hint="password",
            longest=100,
        ),
        Field(
            "password_again",
            "确认新密码",
            kind="password",
            complete="new-password",
            longest=100,
        ),
        Field("contact_name", "姓名", complete="name"),
        Field(
            "certificate_number", "单位证件号码", hint="统一社会信用代码，不带空格。", longest=18
        ),
        Field("unit_name", "单位名称", hint="与证照一致的全称。", longest=100),
        Field("region", "办理地区", kind="region", hint="由该地区的工作人员审核。"),
    )
}


def remember_case(response: Response, case: Recovery, code: str) -> None:
    """Whoever has case and query code sees its state and sends its photographs."""
    browser.set_cookie(response, CASE_COOKIE, f"{case.id}.{code}")


def case_of_browser(db: Session) -> tuple[Recovery | None, str]:
    """The case this browser opened or looked up, with its query code."""
    case_id, _, code = request.cookies.get(CASE_COOKIE, "").partition(".")
    case = queries.get_case(db, case_id) if case_id else None
    hashed = stops.hash_code(parts().counts.vault, code)
    return (case, code) if case is not None and case.code_hash == hashed else (None, "")


def typed(name: str) -> str:
    """What stands in a box, no longer than any of ours may be."""
    value = request.form.get(name, "")[:_LONGEST_FIELD]
    return value if name in ("password", "password_again") else value.strip()


def document_type() -> DocumentKind | None:
    """The chosen kind of document; None when nothing was chosen."""
    kind = typed("document_type")
    return DocumentKind(kind) if kind in {str(k) for k in DocumentKind} else None


def form_page(
    names: tuple[str, ...],
    *,
    title: str,
    intro: str,
    button: str,
    wrong: list[FieldError] | None = None,
    status: int = 200,
    told: str | None = None,
    labels: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """A form of these fields, with what was typed and what is wrong, in the page's order."""
    at = {name: place for place, name in enumerate(names)}
    faults = sorted(wrong or [], key=lambda f: at.get(f.field[1:], 0))
    first = names[0]
    return browser.page(
        "recovery-form.html",
        status,
        title=title,
        intro=intro,
        button=button,
        told=told,
        fields=[FIELDS[name] for name in names],
        labels=labels or {},
        typed={name: typed(name) for name in names if name not in SECRET},
        error=bool(faults),
        errors=[(f.message, "#" + (f.field[1:] if f.field[1:] in at else first)) for f in faults],
        wrong=by_field(faults),
        kinds=[(str(kind), kind.label) for kind in DocumentKind],
        places=_places() if "region" in at else (),
        action=request.path.removesuffix("/code"),
        **more,
    )


def send_code(phone: str) -> tuple[str | None, list[FieldError], int]:
    """Send a code for a recovery: the same words for every phone.

    Returns: what to tell, what is wrong, and the status.
    """
    if not browser.is_own_form():
        return None, stale("phone"), 400
    own = parts()
    try:
        with transaction() as db:
            sms_codes.send(
                db,
                phone=phone,
                purpose=Purpose.RECOVERY,
                address=client_address(),
                limits=own.sms_limits,
                counts=own.counts,
                now=now(),
                device=request.cookies.get(browser.DEVICE_COOKIE),
            )
    except Refusal as refusal:
        return None, faults_of(refusal, "phone"), 422
    return _SENT, [], 200


def faults_of(refusal: Refusal, field: str) -> list[FieldError]:
    """What a refusal says, beside a field where it names none."""
    return list(refusal.fields) or [FieldError(f"/{field}", refusal.code, refusal.message)]


def blank(names: tuple[str, ...]) -> list[FieldError]:
    """Every box that was left empty, at once (AL-01)."""
    empty = [FIELDS[name] for name in names if not typed(name)]
    verbs = {"document": "请选择", "region": "请选择"}
    return [
        FieldError(f"/{f.name}", "required", f"{verbs.get(f.kind, '请填写')}{f.label}")
        for f in empty
    ]


def by_field(wrong: list[FieldError]) -> dict[str, str]:
    """Everything that is wrong with a box, beside the box."""
    told: dict[str, list[str]] = {}
    for each in wrong:
        told.setdefault(each.field[1:], []).append(each.message)
    return {name: "；".join(messages) for name, messages in told.items()}


def stale(field: str) -> list[FieldError]:
    """The page was too old, or not ours."""
    return [FieldError(f"/{field}", "form-stale", browser.STALE_FORM)]


def slow_down() -> None:
    """One address may only try so often.

    Raises:
        RecoverySlowDown
    """
    wait = parts().counts.take((rules.ADDRESS_LIMIT,), client_address(), now=now())
    if wait is not None:
        raise rules.RecoverySlowDown(retry_after=wait)


def stop_address() -> str:
    """The page that takes stop codes, as it is written into an SMS."""
    return f"{parts().settings.public_url}{browser.PREFIX}/recovery/stop"


def _places() -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (city.name, [(county.code, county.name) for county in regions.children(city.code)])
        for city in regions.children(PROVINCE)
    ]


def status_of(refusal: Refusal) -> int:
    """429 where waiting helps, 422 where typing does."""
    return 429 if refusal.retry_after is not None else 422
