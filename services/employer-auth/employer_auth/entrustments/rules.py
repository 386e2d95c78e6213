"""How a unit hands businesses to an agency, and what the agency may give on (EA-13)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from employer_auth.catalogue.rules import MANAGE_BUSINESS
from employer_auth.grants.rules import ACTION_WORDS, Action, Wish
from servicekit.errors import Conflict, FieldError, Invalid, NotFound
from servicekit.workflow import Role, Workflow, move


class EntrustmentState(StrEnum):
    """Where an entrustment stands."""

    OFFERED = "offered"
    ACTIVE = "active"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    ENDED = "ended"

    @property
    def label(self) -> str:
        """The word people read on the screen."""
        return LABELS[self]


LABELS: Final = {
    EntrustmentState.OFFERED: "待机构确认",
    EntrustmentState.ACTIVE: "委托中",
    EntrustmentState.DECLINED: "机构已拒绝",
    EntrustmentState.CANCELLED: "已撤销",
    EntrustmentState.ENDED: "已终止",
}
LIVE: Final = (EntrustmentState.OFFERED, EntrustmentState.ACTIVE)

# Both sides are units; whose move it is says the address they call.
WORKFLOW: Final = Workflow(
    "employer-auth.entrustment",
    EntrustmentState.OFFERED,
    move("accept", EntrustmentState.OFFERED, EntrustmentState.ACTIVE, Role.APPLICANT),
    move("decline", EntrustmentState.OFFERED, EntrustmentState.DECLINED, Role.APPLICANT),
    move("cancel", EntrustmentState.OFFERED, EntrustmentState.CANCELLED, Role.APPLICANT),
    move("end", EntrustmentState.ACTIVE, EntrustmentState.ENDED, Role.APPLICANT),  # either side
    move("expire", LIVE, EntrustmentState.ENDED, Role.SYSTEM),  # its last day is over
    move("part", LIVE, EntrustmentState.ENDED, Role.SYSTEM),  # one of the two is gone
)


@dataclass(frozen=True, slots=True)
class Share:
    """What the agency holds of one business, and so may give its people at most."""

    actions: tuple[str, ...]
    region: str | None
    valid_from: date
    valid_until: date


class EntrustmentNotFound(NotFound):
    """There is none, or it is not theirs to see: the answer is the same."""

    code = "entrustment-not-found"
    default_message = "未找到该委托，请刷新列表后重试。"


class AgencyNotFound(NotFound):
    """No unit of that code is registered."""

    code = "agency-not-found"
    default_message = "未找到该统一社会信用代码的单位账号，请核对后重试；对方须先注册单位账号。"


class AlreadyEntrusted(Conflict):
    """There is a live entrustment between these two."""

    code = "already-entrusted"
    default_message = "本单位与该机构已有委托关系或待确认的委托，请在委托列表中查看。"


class OwnAgency(Conflict):
    """Nobody is their own agency."""

    code = "own-agency"
    default_message = "不能委托本单位自己，请填写代理机构的统一社会信用代码。"


class NotEntrusted(Conflict):
    """The agency has not agreed yet, or it is over."""

    code = "entrustment-not-active"
    default_message = "该委托尚未生效或已终止，请先由代理机构确认委托。"


class BeyondEntrusted(Invalid):
    """An agency gives on what it was given, and no more."""

    code = "beyond-entrusted"
    default_message = "超出了委托单位授予的范围，请在委托的业务、操作、地区和有效期内授权。"


class ManagementNotEntrusted(Invalid):
    """A unit is managed by its own people."""

    code = "management-not-entrusted"
    default_message = "单位管理不能委托给代理机构，请指定本单位的人员管理。"


class AgentNotOwn(Conflict):
    """Only the agency's own bound people act for its clients; a chain is two links long."""

    code = "agent-not-own"
    default_message = "只能指派与本机构直接绑定且绑定有效的经办人，请先绑定该人员。"


def is_live(state: EntrustmentState) -> bool:
    """Has it not ended?"""
    return state in LIVE


def check_active(state: EntrustmentState) -> None:
    """Raises: NotEntrusted unless the agency has agreed and neither has ended it."""
    if state is not EntrustmentState.ACTIVE:
        raise NotEntrusted(extra={"state": str(state)})


def check_agency(unit_id: str, agency_id: str) -> None:
    """Raises: OwnAgency."""
    if unit_id == agency_id:
        raise OwnAgency


def check_entrustable(wishes: Collection[Wish]) -> None:
    """Raises: ManagementNotEntrusted."""
    if any(wish.business == MANAGE_BUSINESS for wish in wishes):
        raise ManagementNotEntrusted


def check_within(wish: Wish, shares: Mapping[str, Share]) -> None:
    """Is the wish a part of what the agency holds?

    Raises:
        BeyondEntrusted: naming what is beyond.
    """
    share = shares.get(wish.business)
    faults = []
    if share is None:
        raise BeyondEntrusted(
            fields=[FieldError("/business", "not-entrusted", "委托单位没有委托这项业务")]
        )
    if beyond := [action for action in wish.actions if action not in share.actions]:
        words = "、".join(ACTION_WORDS[Action(action)] for action in beyond)
        faults.append(FieldError("/actions", "beyond-entrusted", f"没有委托“{words}”"))
    if share.region is not None and not (wish.region or "").startswith(share.region):
        faults.append(FieldError("/region", "beyond-entrusted", "超出了委托的地区"))
    if wish.valid_from < share.valid_from or wish.valid_until > share.valid_until:
        faults.append(FieldError("/valid_until", "beyond-entrusted", "超出了委托的有效期"))
    if faults:
        raise BeyondEntrusted(fields=faults)


def is_over(valid_until: date, today: date) -> bool:
    """Has the last day of everything entrusted passed?"""
    return valid_until < today
