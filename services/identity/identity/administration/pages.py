"""The desk's pages about accounts: found, looked at, locked, let in again; no script."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity import desk
from identity.administration import actions, queries
from identity.administration.queries import Sought
from identity.administration.rules import Clear, SearchRefused
from identity.verification import queries as evidence
from identity.verification.rules import CHANNEL_NAMES
from servicekit import history
from servicekit.applications import Actor
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint("desk_pages", __name__, url_prefix=desk.DESK, template_folder="templates")

_ACCOUNTS: Final = "accounts"
_LONGEST: Final = 200
_KNOWN: Final = {
    "login_name": "用户名",
    "document_number": "证件号码",
    "phone": "手机号码",
    "certificate_number": "单位证件号码",
}
_CLEAR: Final = {
    Clear.NAME: "姓名",
    Clear.DOCUMENT_NUMBER: "证件号码",
    Clear.LOGIN_NAME: "用户名",
    Clear.PHONE: "手机号码",
    Clear.LEGAL_NAME: "法定代表人姓名",
    Clear.LEGAL_DOCUMENT_NUMBER: "法定代表人证件号码",
    Clear.LEGAL_PHONE: "法定代表人手机号码",
}
_WORDS: Final[dict[str, Any]] = {
    "kinds": {"person": "个人", "unit": "单位", "officer": "经办人员"},
    "standings": {"active": "正常", "locked": "已锁定", "cancelled": "已注销"},
    "moves": {
        "lock": "锁定",
        "unlock": "解除锁定",
        "change-duties": "调整职责",
        "revoke-evidence": "撤销核验记录",
        "merge": "合并到另一账号",
        "cancel": "注销重复账号",
        "kept-after-merge": "合并后保留",
        "kept-after-cancel": "注销另一账号后保留",
    },
    "scales": {"hrss": "人社", "prov": "省"},
    "channels": {str(channel): name for channel, name in CHANNEL_NAMES.items()},
}


@blueprint.get("")
@public
def show_desk() -> Response:
    """What this officer works at."""
    with transaction() as db:
        by = desk.officer(db)
        return desk.to_login() if by is None else desk.page("desk.html", by, region=by.region)


@blueprint.get("/accounts")
@public
def show_search() -> Response:
    """The empty search."""
    return desk.show(_ACCOUNTS, lambda _db, by: _search_page(by))


@blueprint.post("/accounts")
@public
def search() -> Response:
    """Find accounts by one thing that is known; posted, because addresses are logged."""

    def act(db: Session, by: Actor) -> Response:
        name, value = _typed("by"), _typed("value")
        if name not in _KNOWN or not value:
            return _search_page(by, error=SearchRefused.default_message, status=422)
        found = queries.search(db, Sought(**{name: value}), region=by.region)
        return _search_page(by, found)

    return desk.do(_ACCOUNTS, act, back=f"{desk.DESK}/accounts")


@blueprint.get("/accounts/<account_id>")
@public
def show(account_id: str) -> Response:
    """An account, masked, with what was proved and what admins did to it."""
    return desk.show(_ACCOUNTS, lambda db, by: _account_page(db, by, account_id))


@blueprint.post("/accounts/<account_id>/lock")
@public
def lock(account_id: str) -> Response:
    """Lock it: no login, and no token that is worth anything (锁定账号)."""

    def act(db: Session, by: Actor) -> Response:
        actions.lock(db, account_id, reason=_typed("reason"), by=by, now=now())
        return _account_page(db, by, account_id, told="账号已锁定。")

    return desk.do(_ACCOUNTS, act, back=_address(account_id))


@blueprint.post("/accounts/<account_id>/unlock")
@public
def unlock(account_id: str) -> Response:
    """Let it in again (解除锁定)."""

    def act(db: Session, by: Actor) -> Response:
        actions.unlock(db, account_id, reason=_typed("reason"), by=by, now=now())
        return _account_page(db, by, account_id, told="已解除锁定。")

    return desk.do(_ACCOUNTS, act, back=_address(account_id))


@blueprint.post("/accounts/<account_id>/reveal")
@public
def reveal(account_id: str) -> Response:
    """One clear value, on record with its reason (AL-04)."""

    def act(db: Session, by: Actor) -> Response:
        wanted = Clear(_typed("field")) if _typed("field") in set(Clear) else Clear.NAME
        value = actions.reveal(db, account_id, wanted, reason=_typed("reason"), by=by, now=now())
        return _account_page(db, by, account_id, revealed=(_CLEAR[wanted], value))

    return desk.do(_ACCOUNTS, act, back=_address(account_id))


@blueprint.post("/accounts/<account_id>/evidence/<evidence_id>/revoke")
@public
def revoke(account_id: str, evidence_id: str) -> Response:
    """Take a piece of evidence back; the level falls at once."""

    def act(db: Session, by: Actor) -> Response:
        actions.revoke_evidence(
            db, account_id, evidence_id, reason=_typed("reason"), by=by, now=now()
        )
        return _account_page(db, by, account_id, told="核验记录已撤销，等级已重新计算。")

    return desk.do(_ACCOUNTS, act, back=_address(account_id))


def _search_page(
    by: Actor,
    found: list[queries.Shown] | None = None,
    *,
    error: str | None = None,
    status: int = 200,
) -> Response:
    return desk.page(
        "desk-accounts.html",
        by,
        status,
        here=_ACCOUNTS,
        error=error,
        known=_KNOWN.items(),
        chosen=_typed("by"),
        found=found,
        **_WORDS,
    )


def _account_page(db: Session, by: Actor, account_id: str, **told: Any) -> Response:
    shown = actions.find_covered(db, account_id, by=by)
    return desk.page(
        "desk-account.html",
        by,
        here=_ACCOUNTS,
        shown=shown,
        own=by.id == account_id,
        clear=_CLEAR.items(),
        evidence=evidence.list_evidence(db, account_id),
        record=history.list_history(db, account_id),
        **_WORDS,
        **told,
    )


def _address(account_id: str) -> str:
    return f"{desk.DESK}/accounts/{account_id}"


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:_LONGEST]
