"""Who may cancel an account, what stands against it, how long one may think it over?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from servicekit.errors import JSON, Conflict, NotFound
from servicekit.workflow import State

COOLING_OFF: Final = timedelta(days=7)  # 注销冷静期; undone at any moment of it
SMS_GONE_AFTER: Final = timedelta(days=3)  # by then the last SMS has gone, or never will
MOST_TOLD: Final = 20  # of what stands against it

# An application in these states is waiting for somebody.
OPEN_STATES: Final = frozenset({State.CHECKING, State.SUBMITTED, State.ACCEPTED, State.RETURNED})
BOUND_STATES: Final = frozenset({"active", "suspended"})


class TieKind(StrEnum):
    """What can stand against a cancellation."""

    APPLICATION = "application"  # 在办事项
    BINDING = "binding"  # 单位与经办人员的绑定
    OBJECTION = "objection"  # 法定代表人的异议: the unit is frozen


class TieFacts(Protocol):
    """What the person is told of it."""

    @property
    def kind(self) -> TieKind: ...
    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...


class StillTied(Conflict):
    """There are open applications or bindings; each is named."""

    code = "account-still-tied"
    default_message = "您还有未办结的事项或未解除的绑定，请办结、撤回或解除后再注销账号"

    def __init__(self, ties: Sequence[TieFacts]) -> None:
        told: list[JSON] = [
            {"kind": str(tie.kind), "id": tie.key, "title": tie.title} for tie in ties[:MOST_TOLD]
        ]
        super().__init__(extra={"ties": told})


class AlreadyAsked(Conflict):
    """The cooling-off runs already."""

    code = "cancellation-under-way"
    default_message = "账号注销申请正在冷静期内，无需重复提交"


class NoCancellation(NotFound):
    """Nothing is being cancelled."""

    code = "cancellation-not-found"
    default_message = "没有正在办理的账号注销申请"


def takes_effect_at(asked_at: datetime) -> datetime:
    """The end of the cooling-off."""
    return asked_at + COOLING_OFF


def is_open_application(state: str) -> bool:
    """Is somebody still waiting for it?"""
    return state in OPEN_STATES


def is_bound(state: str) -> bool:
    """Does the binding hold, if only suspended?"""
    return state in BOUND_STATES


def check_ties(ties: Sequence[TieFacts]) -> None:
    """Refuse while something is open.

    Raises:
        StillTied: naming each.
    """
    if ties:
        raise StillTied(ties)
