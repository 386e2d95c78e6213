"""What may be granted to whom, where and for how long; nothing is granted by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from employer_auth.catalogue.rules import MANAGE_BUSINESS
from employer_auth.validity import BadValidity, latest_end
from servicekit import regions
from servicekit.errors import Conflict, FieldError, Invalid, NotFound


class Action(StrEnum):
    """What is done in a business."""

    VIEW = "view"
    DRAFT = "draft"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    SIGN = "sign"
    MANAGE = "manage"  # only in 单位管理


ACTION_WORDS: Final = {
    Action.VIEW: "查看",
    Action.DRAFT: "填报",
    Action.SUBMIT: "提交",
    Action.WITHDRAW: "撤回",
    Action.SIGN: "签署",
    Action.MANAGE: "管理",
}


class Ending(StrEnum):
    """Why a grant no longer holds."""

    WITHDRAWN = "withdrawn"
    CHANGED = "changed"
    EXPIRED = "expired"
    UNBOUND = "unbound"


@dataclass(frozen=True, slots=True)
class Wish:
    """A grant as the unit wants it."""

    business: str
    actions: tuple[Action, ...]
    region: str | None
    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True)
class Term:
    """A grant and its business, as far as they decide whether it holds."""

    business: str
    actions: tuple[str, ...]
    region: str | None
    level: int
    valid_from: date
    valid_until: date
    offered: tuple[str, ...]
    retired: bool


@dataclass(frozen=True, slots=True)
class Template:
    """角色模板: which actions in which businesses somebody of this role usually needs."""

    code: str
    title: str
    actions: Mapping[str, tuple[Action, ...]]


_DOES: Final = (Action.VIEW, Action.DRAFT, Action.SUBMIT, Action.WITHDRAW)
# 浙里办 has 财务 and 人事; unlike there, a template grants nothing until the unit says so.
TEMPLATES: Final = (
    Template(
        "finance",
        "财务",
        {"stability-refund.confirmation": (*_DOES, Action.SIGN)},
    ),
    Template(
        "personnel",
        "人事",
        {
            "employment-registry.staff-registration": _DOES,
            "recruitment.jobs": _DOES,
            "recruitment.fairs": _DOES,
            "talent-card.employer": _DOES,
        },
    ),
)


class GrantNotFound(NotFound):
    """The person has no such permission."""

    code = "grant-not-found"
    default_message = "该人员没有这项业务的经办权限，请刷新后查看。"


class TemplateNotFound(NotFound):
    """There is no such role."""

    code = "role-not-found"
    default_message = "没有这个角色模板，请重新选择。"


class ActionNotOffered(Invalid):
    """The business does not have this action."""

    code = "action-not-offered"
    default_message = "该业务没有所选的操作，请在业务目录中重新选择。"


class NothingGranted(Invalid):
    """A grant without an action is none; withdraw it instead."""

    code = "no-action"
    default_message = "请至少选择一项操作；如不再授权，请撤回该业务的权限。"


class BadGrantRegion(Invalid):
    """A grant is for a place that exists."""

    code = "bad-grant-region"
    default_message = "没有这个行政区划，请重新选择授权的地区。"


class ManagementIsWhole(Invalid):
    """A unit is managed as a whole, wherever it is."""

    code = "management-has-no-region"
    default_message = "单位管理不限地区，请不要选择授权的地区。"


class AssignedByAgency(Conflict):
    """What an agency's agent may do stands in the entrustment, and nowhere else."""

    code = "assigned-by-agency"
    default_message = "该经办人由代理机构指派，请通过委托调整代理机构可办理的业务。"


class GranteeLevelTooLow(Conflict):
    """EA-06: the business asks for a better proved person."""

    code = "grantee-level-too-low"
    default_message = "该人员的实名等级低于这项业务的要求，请本人先提升实名等级后再授权。"


def check_wish(wish: Wish, *, offered: Collection[str], today: date) -> None:
    """What is wished for exists, somewhere, and for five years at most.

    Raises:
        NothingGranted, ActionNotOffered, BadGrantRegion, ManagementIsWhole, BadValidity
    """
    if not wish.actions:
        raise NothingGranted(fields=[FieldError("/actions", "no-action", "请至少选择一项操作")])
    if foreign := [action for action in wish.actions if action not in offered]:
        words = "、".join(ACTION_WORDS[action] for action in foreign)
        fault = FieldError("/actions", "action-not-offered", f"该业务没有“{words}”")
        raise ActionNotOffered(fields=[fault])
    if wish.region is not None and regions.find(wish.region) is None:
        raise BadGrantRegion(fields=[FieldError("/region", "unknown", "没有这个行政区划")])
    if wish.region is not None and wish.business == MANAGE_BUSINESS:
        fault = FieldError("/region", "management-has-no-region", "单位管理不限地区")
        raise ManagementIsWhole(fields=[fault])
    within = today <= wish.valid_from <= wish.valid_until <= latest_end(wish.valid_from)
    if not within or wish.valid_from > latest_end(today):
        raise BadValidity(
            "授权有效期有误：开始日期不能早于今天，截止日期不能早于开始日期，且最长5年。",
            fields=[FieldError("/valid_until", "bad-validity", "最长5年，且不早于开始日期")],
        )


def check_direct(via: str | None) -> None:
    """Raises: AssignedByAgency."""
    if via is not None:
        raise AssignedByAgency


def check_grantee(level: int, needed: int) -> None:
    """Raises: GranteeLevelTooLow."""
    if level < needed:
        raise GranteeLevelTooLow(extra={"level": level, "required_level": needed})


def holds(term: Term, *, person_level: int, today: date) -> bool:
    """Is the grant in force on this day, for a person of this level?"""
    in_time = term.valid_from <= today <= term.valid_until
    return in_time and not term.retired and person_level >= term.level


def permissions(terms: Collection[Term], *, person_level: int, today: date) -> list[str]:
    """What a token says: ``<business>:<action>`` for everything in force, sorted."""
    return sorted(
        f"{term.business}:{action}"
        for term in terms
        if holds(term, person_level=person_level, today=today)
        for action in term.actions
        if action in term.offered
    )


def regions_of(terms: Collection[Term], *, person_level: int, today: date) -> dict[str, str]:
    """Where each business in force may be done, if the unit named a place (EA-13)."""
    return {
        term.business: term.region
        for term in terms
        if term.region is not None and holds(term, person_level=person_level, today=today)
    }


def usual_validity(begins: date | None, ends: date | None, today: date) -> tuple[date, date]:
    """The days a template grants for: from today, for a year, unless the unit says otherwise."""
    first = begins or today
    if ends is not None:
        return first, ends
    return first, latest_end(first, years=1)


def describe(wish: Wish) -> str:
    """A grant in words, for the history."""
    actions = "、".join(ACTION_WORDS[action] for action in wish.actions)
    place = f"，限{regions.full_name(wish.region)}" if wish.region else ""
    return (
        f"{wish.business}（{actions}），{wish.valid_from.isoformat()}至"
        f"{wish.valid_until.isoformat()}{place}"
    )


def find_template(code: str) -> Template:
    """Raises: TemplateNotFound."""
    for template in TEMPLATES:
        if template.code == code:
            return template
    raise TemplateNotFound
