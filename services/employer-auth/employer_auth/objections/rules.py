"""When a legal representative is told, how an objection is made, and what an officer decides."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from servicekit.claims import Reason
from servicekit.errors import NotFound, TooMany
from servicekit.workflow import Role, Workflow, move

CODE_BITS: Final = 75  # with the USCC beside it, few tries and some days: typed by hand
ADDRESS_WINDOW: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=30)  # the hash of a code that ran out

# Whatever was sent, the answer is this one: a guesser learns nothing from it.
ANSWER: Final = (
    "已收到。如统一社会信用代码和异议码无误且在有效期内，单位账号将立即冻结，"
    "并由经办机构与您联系；法定代表人将收到短信通知。"
)


class Cause(StrEnum):
    """What the legal representative is told of."""

    REGISTERED = "registered"
    FIRST_BINDING = "first-binding"
    RECOVERED = "recovered"


CAUSE_WORDS: Final = {
    Cause.REGISTERED: "注册了单位账号",
    Cause.FIRST_BINDING: "绑定了首位经办人",
    Cause.RECOVERED: "找回了单位账号",
}


class ObjectionState(StrEnum):
    """Where an objection stands."""

    WAITING = "waiting"
    UPHELD = "upheld"
    LIFTED = "lifted"

    @property
    def label(self) -> str:
        """The word people read on the screen."""
        return _LABELS[self]


_LABELS: Final = {
    ObjectionState.WAITING: "待核实",
    ObjectionState.UPHELD: "异议成立",
    ObjectionState.LIFTED: "已解除冻结",
}
OPEN: Final = (ObjectionState.WAITING, ObjectionState.UPHELD)  # the unit is frozen

WORKFLOW: Final = Workflow(
    "employer-auth.objection",
    ObjectionState.WAITING,
    move("uphold", ObjectionState.WAITING, ObjectionState.UPHELD, Role.REVIEWER),
    move("lift", OPEN, ObjectionState.LIFTED, Role.REVIEWER),
)

RESULTS: Final = {
    ObjectionState.UPHELD: (
        "异议成立，原有经办人已全部解除绑定，单位账号继续冻结，"
        "请按找回单位账号的办法重新取得账号后申请解冻"
    ),
    ObjectionState.LIFTED: "单位账号已解除冻结，经办权限已恢复",
}
REASONS: Final = (
    Reason("not-by-unit", "uphold", "经与法定代表人核实，账号注册或绑定不是单位的意愿。"),
    Reason("by-unit", "lift", "经与法定代表人核实，账号注册或绑定属实。"),
    Reason("put-right", "lift", "单位已重新取得账号，解除冻结。"),
)


class ObjectionNotFound(NotFound):
    """There is none, or it is another region's."""

    code = "objection-not-found"
    default_message = "未找到该异议，请在列表中查看。"


class TooManyObjections(TooMany):
    """From one address."""

    code = "too-many-objections"
    default_message = "提交次数过多，请稍后再试；也可拨打 12345 或前往经办机构办理。"


def is_valid(expires_at: datetime | None, used_at: datetime | None, now: datetime) -> bool:
    """May the code still be used?"""
    return used_at is None and expires_at is not None and now < expires_at


def is_open(state: ObjectionState) -> bool:
    """Is the unit frozen for it?"""
    return state in OPEN


def is_overdue(state: ObjectionState, due_on: date, today: date) -> bool:
    """Has the officers' time run out with the decision still open?"""
    return state is ObjectionState.WAITING and due_on < today
