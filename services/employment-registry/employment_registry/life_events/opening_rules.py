"""When may a person object? The conditions that guide, check and objection share (ER-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from employment_registry.conditions import Condition
from employment_registry.life_events import rules
from servicekit.workflow import Role, State

GUIDE: Final = "ending-objection"


@dataclass(frozen=True, slots=True)
class Situation:
    """What the conditions look at: the ending that is announced to the person, if any."""

    today: date
    state: State | None = None
    takes_effect_on: date | None = None


def _check_announced(person: Situation) -> None:
    if person.state is None:
        raise rules.EndingNotFound


def _check_not_objected(person: Situation) -> None:
    if person.state is not None:
        rules.WORKFLOW.next_state("object", person.state, Role.APPLICANT)


def _check_in_time(person: Situation) -> None:
    if person.takes_effect_on is not None:
        rules.check_in_time(person.takes_effect_on, person.today)


CONDITIONS: Final[tuple[Condition[Situation], ...]] = (
    Condition(
        "announced",
        "收到终止登记的告知，登记尚未终止。",
        _check_announced,
        "没有收到告知的，无需申诉；登记已终止的，符合条件可重新办理登记。",
    ),
    Condition(
        "not-objected",
        "没有正在审核的申诉。",
        _check_not_objected,
        "请等待审核结果；需要改写的，请先撤回申诉再重新提出。",
    ),
    Condition(
        "in-time",
        "在告知的终止日期之前提出。",
        _check_in_time,
        "终止日期已到的，符合条件可重新办理登记。",
    ),
)
