"""Which events end which registration, when, and what a person may say against it.

What counts is that something began on or after the day on which the registration was filed, for
registers were asked then. That it ended later undoes nothing: a registration that has ended is
ended for ever (EMP-08), and the person registers anew. So the end is the same in whatever order,
how often and how late events come.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from employment_registry.life import Standing
from servicekit.claims import Reason
from servicekit.errors import Conflict, NotFound
from servicekit.teamwork.rules import team_moves
from servicekit.workflow import Role, State, Workflow, move

# In the kit's words: DRAFT is announced (已告知), SUBMITTED an objection that waits (申诉待审核),
# APPROVED upheld (申诉成立), REJECTED dismissed (申诉不成立), WITHDRAWN closed by the clock.
WORKFLOW: Final = Workflow(
    "employment-registry.ending",
    State.DRAFT,
    move("object", (State.DRAFT, State.RETURNED), State.SUBMITTED, Role.APPLICANT),
    move("withdraw", (State.SUBMITTED, State.RETURNED), State.DRAFT, Role.APPLICANT),
    move("claim", State.SUBMITTED, State.SUBMITTED, Role.REVIEWER),
    move("approve", State.SUBMITTED, State.APPROVED, Role.REVIEWER),
    move("return", State.SUBMITTED, State.RETURNED, Role.REVIEWER),
    move("reject", State.SUBMITTED, State.REJECTED, Role.REVIEWER),
    *team_moves(State.SUBMITTED, alike=False),
    move("take-effect", (State.DRAFT, State.RETURNED), State.WITHDRAWN, Role.SYSTEM),
    # The registration has ended in another way.
    move("lapse", (State.DRAFT, State.SUBMITTED, State.RETURNED), State.WITHDRAWN, Role.SYSTEM),
)
OPEN: Final = (State.DRAFT, State.SUBMITTED, State.RETURNED)  # one of these per registration
WAITING: Final = (State.DRAFT, State.RETURNED)  # end by the clock
FILED: Final = tuple(sorted(WORKFLOW.states - {State.DRAFT}))
BUSINESS_DIGITS: Final = "04"  # of the 受理编号
LABELS: Final = {
    State.DRAFT: "已告知",
    State.SUBMITTED: "申诉待审核",
    State.RETURNED: "申诉待补正",
    State.APPROVED: "申诉成立",
    State.REJECTED: "申诉不成立",
    State.WITHDRAWN: "已了结",
}


class Happening(StrEnum):
    """What may happen to a person (生活事件)."""

    ENROLLED = "enrolled"
    PENSION = "pension"
    RETIRED = "retired"
    DIED = "died"


HAPPENINGS: Final = {
    Happening.ENROLLED: "用人单位已为您办理就业参保登记",
    Happening.PENSION: "您已开始享受基本养老保险待遇",
    Happening.RETIRED: "您已达到法定退休年龄",
    Happening.DIED: "公安机关已登记死亡",
}
# Employed by a unit is not unemployed; working for oneself beside an employer is allowed.
ENDS: Final = {
    Standing.UNEMPLOYED: frozenset(Happening),
    Standing.EMPLOYED: frozenset(Happening) - {Happening.ENROLLED},
}
REASONS: Final = (
    Reason(
        "more-proof",
        "return",
        "请补充能够说明情况的材料或线索，例如离职证明、单位联系方式。",
        "materials/explanation",
    ),
    Reason(
        "confirmed",
        "reject",
        "经向信息来源部门核实，信息无误，登记予以终止。",
        "conditions/untrue",
    ),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as a register or the calendar says it, and when it was heard."""

    id: str
    happening: Happening
    on: date
    refuted: bool = False
    heard_on: date = date.max


class EndingNotFound(NotFound):
    """There is none, or it is not theirs to see."""

    code = "ending-not-found"
    default_message = "未找到该终止告知。"


class TooLate(Conflict):
    """The day has come; what is ended is ended."""

    code = "objection-too-late"
    default_message = "申诉期限已过，登记已终止；如符合条件请重新办理登记。"


def cause(standing: Standing, since: date, events: Iterable[Event]) -> Event | None:
    """The event that ends a registration: of several the earliest, however they came.

    Args:
        since: the day on which the registration was filed. A death that was heard since then
            counts whenever it was; one heard before, the police had corrected when they were asked.
    """
    counting = [
        event
        for event in events
        if event.happening in ENDS[standing]
        and not event.refuted
        and (event.on >= since or _is_new_death(event, since))
    ]
    order = list(Happening)
    return min(counting, key=lambda e: (e.on, order.index(e.happening), e.id), default=None)


def has_died(events: Iterable[Event], since: date) -> bool:
    """Has a death been heard since then that no officer found wrong?"""
    return any(_is_new_death(event, since) and not event.refuted for event in events)


def check_in_time(takes_effect_on: date, today: date) -> None:
    """An objection is heard until the day before the ending takes effect.

    Raises:
        TooLate
    """
    if today >= takes_effect_on:
        raise TooLate


def ends_after_return(planned: date, corrected_by: date) -> date:
    """Who is asked to add something has the time for it; what was announced comes no sooner."""
    return max(planned, corrected_by)


def is_announced(state: State) -> bool:
    """Has the person not said anything against it yet?"""
    return state is State.DRAFT


def is_waiting(state: State) -> bool:
    """Does it take effect by itself?"""
    return state in WAITING


def _is_new_death(event: Event, since: date) -> bool:
    return event.happening is Happening.DIED and event.heard_on >= since
