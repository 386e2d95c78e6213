"""The desk's page about two accounts of one person: proposed by one admin, decided by another."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity import desk
from identity.duplicates import actions, queries, rules
from identity.duplicates.rules import By, Way
from servicekit.applications import Actor
from servicekit.web.access import public
from servicekit.web.session import now

blueprint = Blueprint(
    "desk_duplicates", __name__, url_prefix=desk.DESK, template_folder="templates"
)

_PLACE: Final = "duplicates"
_BACK: Final = f"{desk.DESK}/duplicates"
_LONGEST: Final = 200
_LOOKS: Final = {
    By.DOCUMENT: "同一证件",
    By.LIKENESS: "姓名和出生日期相同",
    By.PHONE: "同一手机号码",
}
_WAYS: Final = {Way.MERGE: "合并", Way.CANCEL: "注销其中一个"}


@blueprint.get("/duplicates")
@public
def show() -> Response:
    """What is proposed, and which accounts look like one person's."""
    return desk.show(_PLACE, _page)


@blueprint.post("/duplicates")
@public
def propose() -> Response:
    """Propose what becomes of two accounts (ID-05)."""

    def act(db: Session, by: Actor) -> Response:
        way = Way(_typed("way")) if _typed("way") in set(Way) else Way.CANCEL
        wanted = actions.Proposal(_typed("kept_id"), _typed("given_up_id"), way, _typed("reason"))
        actions.propose(db, wanted, by=by, now=now())
        return _page(db, by, "方案已提出，等待另一名管理员确认。")

    return desk.do(_PLACE, act, back=_BACK)


@blueprint.post("/duplicates/<resolution_id>/confirm")
@public
def confirm(resolution_id: str) -> Response:
    """Carry it out, as another admin."""

    def act(db: Session, by: Actor) -> Response:
        actions.confirm(db, resolution_id, note=_typed("reason") or None, by=by, now=now())
        return _page(db, by, "已办理。")

    return desk.do(_PLACE, act, back=_BACK)


@blueprint.post("/duplicates/<resolution_id>/refuse")
@public
def refuse(resolution_id: str) -> Response:
    """Leave both as they are, and say why."""

    def act(db: Session, by: Actor) -> Response:
        actions.refuse(db, resolution_id, note=_typed("reason"), by=by, now=now())
        return _page(db, by, "已记录为不同意，两个账号保持不变。")

    return desk.do(_PLACE, act, back=_BACK)


def _page(db: Session, by: Actor, told: str | None = None) -> Response:
    asked = request.args.get("by", "")
    look = By(asked) if asked in set(By) else By.DOCUMENT
    after = request.args.get("after", "")[:36]
    groups = queries.list_groups(db, look, region=by.region, after=after)
    full = len(groups) == rules.MOST_GROUPS
    return desk.page(
        "desk-duplicates.html",
        by,
        here=_PLACE,
        told=told,
        me=by.id,
        open=queries.list_open(db, by.region),
        groups=groups,
        after=groups[-1].accounts[0].account.id if full else None,
        looked_by=str(look),
        ways_of_looking=_LOOKS.items(),
        way_names=_WAYS,
    )


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:_LONGEST]
