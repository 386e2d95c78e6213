"""The desk's pages about officers: listed, appointed, given other duties; no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import segno
from flask import Blueprint, Response, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from identity import desk, form_pages
from identity.officers import actions, queries, rules
from identity.officers.model import Officer
from identity.parts import parts
from servicekit.applications import Actor
from servicekit.errors import FieldError, Refusal
from servicekit.web.access import public
from servicekit.web.paging import Page, page_of
from servicekit.web.session import now
from servicekit.workflow import Role

blueprint = Blueprint("desk_officers", __name__, url_prefix=desk.DESK, template_folder="templates")

_PLACE: Final = "officers"
_BACK: Final = f"{desk.DESK}/officers"
_FIELDS: Final = ("name", "login_name", "phone", "region", "roles", "businesses", "reason")
_MOST: Final = 50
_ROLE_NAMES: Final = {
    str(Role.WINDOW): "窗口人员",
    str(Role.REVIEWER): "审核人员",
    str(Role.APPROVER): "审批人员",
    str(Role.ADMIN): "账号管理员",
}
_STANDINGS: Final = {"active": "正常", "locked": "已锁定", "cancelled": "已注销"}


@dataclass(frozen=True, slots=True)
class Made:
    """A new officer's first password and authenticator, on one page and never again."""

    login_name: str
    password: str = field(repr=False)
    uri: str = field(repr=False)

    @property
    def code(self) -> Markup:
        """The authenticator's address for a telephone's camera."""
        code = segno.make(self.uri, error="m", micro=False)
        return Markup(code.svg_inline(omitsize=True, border=4, title="身份验证器二维码"))  # noqa: S704 - segno's own drawing


@blueprint.get("/officers")
@public
def show_officers() -> Response:
    """The officers of the admin's region and below, and the form for one more."""
    return desk.show(_PLACE, _list_page)


@blueprint.post("/officers")
@public
def appoint() -> Response:
    """Appoint somebody (ID-45); every wrong field is told at once."""
    typed = form_pages.typed()

    def act(db: Session, by: Actor) -> Response:
        name, login, phone, region = (typed.get(each, "").strip() for each in _FIELDS[:4])
        appointment = rules.Appointment(
            name, login, phone, region, tuple(_ticked("businesses")), tuple(_ticked("roles"))
        )
        try:
            with db.begin_nested():
                _, made = actions.appoint_by(
                    db, appointment, by=by, hasher=parts().hasher, now=now()
                )
        except Refusal as refusal:
            return _list_page(db, by, _wrong(refusal, "login_name"), typed=typed)
        shown = Made(appointment.login_name, made.password, made.totp_uri)
        return _list_page(db, by, made=shown)

    return desk.do(_PLACE, act, back=_BACK)


@blueprint.get("/officers/<officer_id>")
@public
def show_officer(officer_id: str) -> Response:
    """One officer's duties."""

    def act(db: Session, by: Actor) -> Response:
        return _officer_page(db, by, queries.find_officer(db, officer_id, region=by.region))

    return desk.show(_PLACE, act, back=_BACK)


@blueprint.post("/officers/<officer_id>")
@public
def change_duties(officer_id: str) -> Response:
    """Other region, businesses or roles; every session of theirs ends."""
    typed = form_pages.typed()

    def act(db: Session, by: Actor) -> Response:
        officer = queries.find_officer(db, officer_id, region=by.region)
        try:
            with db.begin_nested():
                actions.change_duties(
                    db,
                    officer,
                    region=typed.get("region", "").strip(),
                    businesses=_ticked("businesses"),
                    roles=_ticked("roles"),
                    reason=typed.get("reason", ""),
                    by=by,
                    now=now(),
                )
        except Refusal as refusal:
            return _officer_page(db, by, officer, _wrong(refusal, "reason"), typed=typed)
        return _officer_page(db, by, officer, told="职责已调整，该人员须重新登录。")

    return desk.do(_PLACE, act, back=f"{_BACK}/{officer_id}")


def _list_page(
    db: Session,
    by: Actor,
    wrong: Sequence[FieldError] = (),
    *,
    typed: dict[str, str] | None = None,
    made: Made | None = None,
) -> Response:
    ours = queries.officers_of(by.region)
    page = Page(cursor=request.args.get("cursor", "")[:1000] or None)
    found = page_of(db, ours, page, by=(Officer.created_at, Officer.account_id))
    return _page(
        "desk-officers.html",
        db,
        by,
        wrong,
        typed=typed or {},
        roles=_ticked("roles") if typed else [],
        businesses=_ticked("businesses") if typed else [],
        officers=found.items,
        next=found.next_cursor,
        made=made,
        standings=_STANDINGS,
    )


def _officer_page(
    db: Session,
    by: Actor,
    officer: Officer,
    wrong: Sequence[FieldError] = (),
    *,
    typed: dict[str, str] | None = None,
    told: str | None = None,
) -> Response:
    return _page(
        "desk-officer.html",
        db,
        by,
        wrong,
        typed=typed or {"region": officer.region},
        roles=_ticked("roles") if typed else officer.roles,
        businesses=_ticked("businesses") if typed else officer.businesses,
        officer=officer,
        told=told,
    )


def _page(
    template: str,
    db: Session,
    by: Actor,
    wrong: Sequence[FieldError],
    *,
    typed: dict[str, str],
    roles: Sequence[str],
    businesses: Sequence[str],
    **more: Any,
) -> Response:
    known = queries.known_businesses(db)
    return desk.page(
        template,
        by,
        422 if wrong else 200,
        here=_PLACE,
        typed=form_pages.shown(typed),
        role_names=_ROLE_NAMES,
        chosen_roles=roles,
        businesses=sorted(known | set(businesses)),
        chosen_businesses=businesses,
        **form_pages.faults(wrong, _FIELDS),
        **more,
    )


def _wrong(refusal: Refusal, field: str) -> Sequence[FieldError]:
    return refusal.fields or [FieldError(f"/{field}", refusal.code, refusal.message)]


def _ticked(name: str) -> list[str]:
    return [value[:120] for value in request.form.getlist(name)[:_MOST]]
