"""The officers' own pages (工作台): who is at the desk, what they may do, and what went wrong.

They ask the same actions as the API, with the same actor, so nothing is allowed here that is
refused there; a page is written without a script and changes nothing but by a form of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import Response
from sqlalchemy.orm import Session

from identity.officers.model import Officer
from identity.recovery.rules import PERSON_WORKFLOW, UNIT_WORKFLOW
from identity.sign_in import browser, entrance
from identity.sign_in.sessions import Subject
from servicekit.applications import Actor
from servicekit.errors import Forbidden, Refusal
from servicekit.web.problem import status_of
from servicekit.web.session import transaction
from servicekit.workflow import Role

DESK: Final = browser.DESK
Act = Callable[[Session, Actor], Response]


@dataclass(frozen=True, slots=True)
class Place:
    """One page of the desk, and who finds it."""

    path: str
    title: str
    what: str
    role: Role
    business: str | None = None


PLACES: Final = (
    Place("accounts", "账号管理", "查询账号、查看明文、锁定和解除锁定、撤销核验记录", Role.ADMIN),
    Place("duplicates", "重复账号", "同一人的多个账号：合并或注销，两人办理", Role.ADMIN),
    Place("officers", "经办人员", "新增经办人员，调整行政区划、业务和角色", Role.ADMIN),
    Place("clients", "接入系统", "登记、变更、停用其他系统，更换口令", Role.ADMIN),
    Place(
        "person-recoveries",
        "个人账号找回审核",
        "核对照片后通过、退回或不予通过",
        Role.REVIEWER,
        PERSON_WORKFLOW.name,
    ),
    Place(
        "unit-recoveries",
        "单位账号找回审核",
        "初审与复核由两人办理",
        Role.REVIEWER,
        UNIT_WORKFLOW.name,
    ),
)


class NotAtDesk(Forbidden):
    """Signed in, but as nobody who works here, or not in this business."""

    code = "not-at-desk"
    default_message = "您没有使用该页面的权限"


def show(place: str, act: Act, *, back: str = DESK) -> Response:
    """Show a page to who works at this place."""
    return _serve(place, act, back)


def do(place: str, act: Act, *, back: str) -> Response:
    """Do what a form of ours asks for.

    Args:
        back: where a refusal leads back to.
    """
    if not browser.is_own_form():
        return _refused(browser.STALE_FORM, 400, back)
    return _serve(place, act, back)


def page(template: str, by: Actor, status: int = 200, **values: Any) -> Response:
    """A page of the desk, with the ways to the others."""
    return browser.page(template, status, places=places_of(by), desk=DESK, **values)


def places_of(by: Actor) -> list[Place]:
    """What this officer finds at the desk."""
    return [each for each in PLACES if _may(by, each)]


def officer(db: Session) -> Actor | None:
    """Who is at the desk; None when nobody is signed in here.

    Raises:
        NotAtDesk: a person or a unit is.
    """
    subject = entrance.owner(db)
    if subject is None:
        return None
    if subject.officer is None:
        raise NotAtDesk
    return _actor(subject, subject.officer)


def to_login() -> Response:
    """The sign-in page, and from there to the desk."""
    return browser.go(browser.with_return(f"{browser.PREFIX}/login", DESK))


def _serve(place: str, act: Act, back: str) -> Response:
    wanted = next(each for each in PLACES if each.path == place)
    try:
        with transaction() as db:
            by = officer(db)
            if by is None:
                return to_login()
            if not _may(by, wanted):
                raise NotAtDesk
            return act(db, replace(by, role=wanted.role))
    except Refusal as refusal:
        return _refused(refusal.message, status_of(type(refusal)), back, refusal)


def _may(by: Actor, place: Place) -> bool:
    works = place.business is None or place.business in by.businesses
    return str(place.role) in by.roles and works


def _actor(subject: Subject, officer: Officer) -> Actor:
    """As the access token of this session says it (``sign_in.tokens``)."""
    return Actor(
        id=subject.account.id,
        role=Role.APPLICANT,
        kind="officer",
        person_id=subject.account.id,
        session_id=subject.session.id,
        roles=frozenset(officer.roles),
        region=officer.region,
        businesses=frozenset(officer.businesses),
    )


def _refused(message: str, status: int, back: str, refusal: Refusal | None = None) -> Response:
    fields = () if refusal is None else refusal.fields
    return browser.page(
        "desk-refused.html",
        status,
        message=message,
        wrong=[each.message for each in fields if each.message != message],
        back=back,
    )
