"""Both sides' pages of bindings, without a script; employer-auth is asked with one's own token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, request

from identity import form_pages
from identity.adapters.agents import Invited
from identity.agents import rules
from identity.agents.rules import Side
from identity.parts import parts
from identity.sign_in import browser, entrance
from servicekit.errors import FieldError, Refusal
from servicekit.personal import DocumentNumber, PersonalText, PersonName
from servicekit.web.access import public
from servicekit.web.problem import status_of
from servicekit.web.session import transaction

blueprint = Blueprint("agents", __name__, url_prefix=browser.AGENTS, template_folder="templates")

_MISSING: Final = "不能为空"


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who is at the browser, on which side, and what employer-auth is shown."""

    side: Side
    token: str


@blueprint.get("")
@public
def show_all() -> Response:
    """我经办的法人, or 我的经办人, newest first (F6)."""
    asking = _asking()
    return _elsewhere() if asking is None else _list_page(asking)


@blueprint.post("")
@public
def invite() -> Response:
    """新增 → 发起绑定: the person has to agree (EA-02)."""
    asking = _asking()
    if asking is None or asking.side is not Side.UNIT:
        return _elsewhere()
    typed = form_pages.typed()
    if not browser.is_own_form():
        return _list_page(asking, 400, wrong=form_pages.stale("login_name"), typed=typed)
    given = {name: typed.get(name, "").strip() for name in rules.FIELDS}
    empty = [FieldError(f"/{name}", "required", _MISSING) for name in given if not given[name]]
    if empty:
        return _list_page(asking, 422, wrong=empty, typed=typed)
    invited = Invited(
        PersonalText(given["login_name"]),
        PersonName(given["name"]),
        DocumentNumber(given["document_number"]),
    )
    try:
        parts().agents.invite(asking.token, invited)
    except Refusal as refusal:
        wrong = [each for each in refusal.fields if each.field.lstrip("/") in rules.FIELDS]
        wrong = wrong or [FieldError("/login_name", refusal.code, refusal.message)]
        return _list_page(asking, status_of(type(refusal)), wrong=wrong, typed=typed)
    return browser.go(f"{browser.AGENTS}?done=invite")


@blueprint.get("/<binding_id>")
@public
def show_one(binding_id: str) -> Response:
    """One binding: what was granted, and what may be done with it."""
    asking = _asking()
    return _elsewhere() if asking is None else _one_page(asking, binding_id)


@blueprint.post("/<binding_id>/<name>")
@public
def move(binding_id: str, name: str) -> Response:
    """通过, 不通过, 解除绑定, 撤销 (EA-03, EA-05)."""
    asking = _asking()
    if asking is None or name not in rules.MOVES[asking.side]:
        return _elsewhere()
    if not browser.is_own_form():
        return _one_page(asking, binding_id, browser.STALE_FORM, 400)
    try:
        parts().agents.move(asking.token, asking.side, binding_id, name)
    except Refusal as refusal:
        return _one_page(asking, binding_id, refusal.message, status_of(type(refusal)))
    return browser.go(f"{browser.AGENTS}?done={name}")


def _asking() -> _Asking | None:
    with transaction() as db:
        subject = entrance.owner(db)
        side = None if subject is None else rules.SIDES.get(subject.account.kind)
        if subject is None or side is None:
            return None
        return _Asking(side, parts().provider.token_for(subject))


def _elsewhere() -> Response:
    """A visitor signs in and comes back; an officer, or who asked for another side's, does not."""
    with transaction() as db:
        if entrance.owner(db) is not None:
            return browser.go(f"{browser.PREFIX}/")
    return browser.go(browser.with_return(f"{browser.PREFIX}/login", browser.AGENTS))


def _list_page(
    asking: _Asking,
    status: int = 200,
    *,
    wrong: list[FieldError] | None = None,
    typed: Mapping[str, str] | None = None,
    error: str | None = None,
) -> Response:
    cursor = request.args.get("cursor")
    faults: dict[str, Any] = form_pages.faults(wrong or [], rules.FIELDS)
    try:
        part = parts().agents.list_bindings(asking.token, asking.side, cursor=cursor)
    except Refusal as refusal:
        return _page("agents.html", asking, status_of(type(refusal)), error=refusal.message)
    if error is not None:
        faults = {"error": error}
    return _page(
        "agents.html",
        asking,
        status,
        items=part.items,
        next_cursor=part.next_cursor,
        first=cursor is None,
        told=rules.told(asking.side, request.args.get("done", "")),
        typed=form_pages.shown(typed or {}),
        **faults,
    )


def _one_page(
    asking: _Asking, binding_id: str, error: str | None = None, status: int = 200
) -> Response:
    try:
        binding, grants = parts().agents.show(asking.token, asking.side, binding_id)
    except Refusal as refusal:
        return _list_page(asking, status_of(type(refusal)), error=refusal.message)
    return _page("agent.html", asking, status, binding=binding, grants=grants, error=error)


def _page(template: str, asking: _Asking, status: int, **values: Any) -> Response:
    return browser.page(
        template,
        status,
        title=rules.TITLES[asking.side],
        is_unit=asking.side is Side.UNIT,
        moves=rules.MOVES[asking.side],
        path=browser.AGENTS,
        **values,
    )
