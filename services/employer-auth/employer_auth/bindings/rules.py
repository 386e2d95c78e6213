"""How a binding comes about, rests and ends, and who says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from employer_auth.validity import is_over
from servicekit import messages
from servicekit.errors import Conflict, NotFound, TooMany
from servicekit.workflow import Role, Workflow, move

MANAGE: Final = "employer-auth.unit:manage"  # 单位管理: may do here what the unit's account may
NEEDED_LEVEL: Final = 2  # 二级实名 (EA-06)


class BindingState(StrEnum):
    """Where a binding stands."""

    INVITED = "invited"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RELEASED = "released"

    @property
    def label(self) -> str:
        """The word people read on the screen."""
        return LABELS[self]


LABELS: Final = {
    BindingState.INVITED: "待确认",
    BindingState.ACTIVE: "已绑定",
    BindingState.SUSPENDED: "已暂停",
    BindingState.DECLINED: "已拒绝",
    BindingState.CANCELLED: "已撤销",
    BindingState.EXPIRED: "已过期",
    BindingState.RELEASED: "已解除",
}
LIVE: Final = (BindingState.INVITED, BindingState.ACTIVE, BindingState.SUSPENDED)
BOUND: Final = (BindingState.ACTIVE, BindingState.SUSPENDED)

# The unit and the person are both applicants; whose move it is says the address they call.
WORKFLOW: Final = Workflow(
    "employer-auth.binding",
    BindingState.INVITED,
    move("accept", BindingState.INVITED, BindingState.ACTIVE, Role.APPLICANT),
    move("decline", BindingState.INVITED, BindingState.DECLINED, Role.APPLICANT),
    move("cancel", BindingState.INVITED, BindingState.CANCELLED, Role.APPLICANT),
    move("expire", BindingState.INVITED, BindingState.EXPIRED, Role.SYSTEM),
    move("suspend", BindingState.ACTIVE, BindingState.SUSPENDED, Role.SYSTEM),
    move("resume", BindingState.SUSPENDED, BindingState.ACTIVE, Role.SYSTEM),
    move("release", BOUND, BindingState.RELEASED, Role.APPLICANT),  # by the unit
    move("leave", BOUND, BindingState.RELEASED, Role.APPLICANT),  # by the agent
    move("remove", LIVE, BindingState.RELEASED, Role.REVIEWER),  # by an officer
    move("end", LIVE, BindingState.RELEASED, Role.SYSTEM),  # an account or a link is gone
    move("lapse", BOUND, BindingState.EXPIRED, Role.SYSTEM),  # its own validity is over
)


class Reason(StrEnum):
    """Why a binding rests; it rests as long as there is one."""

    PERSON_LEVEL = "person-level"
    PERSON_LOCKED = "person-locked"
    UNIT_LOCKED = "unit-locked"
    UNIT_FROZEN = "unit-frozen"
    UNIT_UNMANAGED = "unit-unmanaged"
    AGENCY_LINK = "agency-link"


REASON_WORDS: Final = {
    Reason.PERSON_LEVEL: "个人账号实名等级低于二级，请本人提升实名等级后自动恢复",
    Reason.PERSON_LOCKED: "个人账号已锁定，请本人联系账号管理员解锁后自动恢复",
    Reason.UNIT_LOCKED: "单位账号已锁定，请单位联系账号管理员解锁后自动恢复",
    Reason.UNIT_FROZEN: "单位账号已冻结，请联系当地人社部门处理后自动恢复",
    Reason.UNIT_UNMANAGED: "单位超过期限没有单位管理人员，请单位指定管理人员后自动恢复",
    Reason.AGENCY_LINK: "代理机构与经办人的绑定已暂停，恢复后自动恢复",
}


class Ender(StrEnum):
    """Who ended a binding."""

    UNIT = "unit"
    AGENT = "agent"
    AGENCY = "agency"
    OFFICER = "officer"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a binding depends on outside itself."""

    person_level: int
    person_usable: bool
    unit_usable: bool
    unit_frozen: bool
    unit_restricted: bool
    link_holds: bool = True


class PersonNotFound(NotFound):
    """EA-02: there is no such person, or something does not match; the answer is the same."""

    code = messages.BIND_USER_NOT_FOUND.code
    default_message = messages.BIND_USER_NOT_FOUND.text


class PersonNotVerified(Conflict):
    """EA-06: only persons of 二级 are bound."""

    code = "person-not-verified"
    default_message = (
        "该个人账号尚未达到二级实名，请本人登录后通过银联实名认证、省统一身份认证"
        "或电子社保卡完成实名认证，再重新发起绑定。"
    )


class AlreadyBound(Conflict):
    """There is a live binding of this unit and this person."""

    code = "already-bound"
    default_message = "该人员已绑定本单位，或已有待其确认的绑定邀请，请在子账号信息中查看。"


class BindingNotFound(NotFound):
    """There is none, or it is not theirs to see: the answer is the same."""

    code = "binding-not-found"
    default_message = "未找到该绑定信息，请刷新列表后重试。"


class BindingSuspended(Conflict):
    """The binding rests, or would at once."""

    code = "binding-suspended"
    default_message = "该绑定已暂停，暂停原因消除后自动恢复。"


class NotBound(Conflict):
    """Nobody acts for a unit before both sides have agreed, nor after one has left."""

    code = "binding-not-active"
    default_message = (
        "该绑定尚未生效或已结束，不能为该单位办理业务；请由单位发起绑定，"
        "并由本人在父账号信息中确认。"
    )


class InvitationLapsed(Conflict):
    """EA-03: nobody answered in time."""

    code = "invitation-lapsed"
    default_message = "该绑定邀请已过期，请联系单位重新发起绑定。"


class UnitUnknown(Conflict):
    """identity has registered the unit a moment ago, and the word is under way.

    No 503: who asks again and again for one unit would have the gateway think us unable.
    """

    code = "unit-not-known-yet"
    default_message = "单位信息正在同步，请稍后再试；如长时间未恢复，请联系当地人社部门。"


class TooManyTries(TooMany):
    """EA-02: a unit does not find out by trying who has an account."""

    code = "too-many-invitations"
    default_message = "本单位发起绑定次数过多，请稍后再试。"


def reasons_to_rest(around: Circumstances) -> list[Reason]:
    """Everything that keeps a binding from working now."""
    held = {
        Reason.PERSON_LEVEL: around.person_level >= NEEDED_LEVEL,
        Reason.PERSON_LOCKED: around.person_usable,
        Reason.UNIT_LOCKED: around.unit_usable,
        Reason.UNIT_FROZEN: not around.unit_frozen,
        Reason.UNIT_UNMANAGED: not around.unit_restricted,
        Reason.AGENCY_LINK: around.link_holds,
    }
    return [reason for reason, fine in held.items() if not fine]


def check_may_work(reasons: Collection[str]) -> None:
    """Nothing stands in the way of a binding's work.

    Raises:
        BindingSuspended: with every reason, and how each goes away.
    """
    if reasons:
        words = "；".join(REASON_WORDS[Reason(reason)] for reason in reasons)
        raise BindingSuspended(f"该绑定已暂停：{words}。", extra={"reasons": list(reasons)})


def check_active(state: BindingState, reasons: Collection[str]) -> None:
    """The person may act for the unit now.

    Raises:
        BindingSuspended, NotBound
    """
    if state is BindingState.SUSPENDED:
        check_may_work(reasons)
    if state is not BindingState.ACTIVE:
        raise NotBound(extra={"state": str(state)})


def check_bound(state: BindingState) -> None:
    """Both sides have agreed and neither has left; resting is no matter.

    Raises:
        NotBound
    """
    if state not in BOUND:
        raise NotBound(
            f"当前状态为“{state.label}”，绑定生效后才能授权；请先由对方在父账号信息中确认。",
            extra={"state": str(state)},
        )


def is_resting(state: BindingState) -> bool:
    """Does the binding rest?"""
    return state is BindingState.SUSPENDED


def is_active(state: BindingState) -> bool:
    """Does the binding work?"""
    return state is BindingState.ACTIVE


def is_live(state: BindingState) -> bool:
    """Has it not ended?"""
    return state in LIVE


def is_bound(state: BindingState) -> bool:
    """Have both sides agreed, and neither left?"""
    return state in BOUND


def check_not_lapsed(expires_at: datetime, now: datetime) -> None:
    """Raises: InvitationLapsed when the time to answer is over."""
    if expires_at <= now:
        raise InvitationLapsed


def has_lapsed(state: BindingState, expires_at: datetime, now: datetime) -> bool:
    """Is it an invitation whose time is over?"""
    return state is BindingState.INVITED and expires_at <= now


def has_ended(state: BindingState, valid_until: date | None, today: date) -> bool:
    """Is it a binding whose last day is over?"""
    return state in BOUND and is_over(valid_until, today)


def check_level(level: int) -> None:
    """Raises: PersonNotVerified below 二级 (EA-06)."""
    if level < NEEDED_LEVEL:
        raise PersonNotVerified


def lapses_at(invited_at: datetime, days: int) -> datetime:
    """When an invitation nobody answered lapses (EA-03)."""
    return invited_at + timedelta(days=days)
