"""When may the form open? The conditions that service guide, check and form share (ER-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from employment_registry.conditions import Condition, OpenOne
from employment_registry.flexible_employment import rules
from employment_registry.working_age import WorkingAge, check_age
from servicekit.workflow import State


@dataclass(frozen=True, slots=True)
class Situation:
    """What the conditions look at; an open application is found by the database too (EMP-10)."""

    born_on: date
    sex: str
    today: date
    ages: WorkingAge
    is_registered: bool
    was_registered: bool
    is_registered_elsewhere: bool  # with another account of theirs
    open_application: OpenOne | None = None


def _check_age(person: Situation) -> None:
    check_age(person.born_on, person.sex, person.today, person.ages)


def _check_registered(person: Situation) -> None:
    is_registered, was_registered = person.is_registered, person.was_registered
    rules.check_kind(rules.Kind.CHANGE, is_registered=is_registered, was_registered=was_registered)


def _check_not_registered(person: Situation) -> None:
    is_registered = person.is_registered or person.is_registered_elsewhere
    rules.check_kind(
        rules.Kind.REGISTRATION, is_registered=is_registered, was_registered=person.was_registered
    )


def _check_cancellable(person: Situation) -> None:
    was = State.CANCELLED if person.was_registered else State.DRAFT
    state = State.APPROVED if person.is_registered else was
    rules.check_cancellation(state, record_is_valid=person.is_registered)


def _check_none_open(person: Situation) -> None:
    if person.open_application is not None:
        raise person.open_application.refuse(rules.OpenApplication)


_OF_WORKING_AGE: Final = Condition(
    "working-age",
    "年满{youngest_years}周岁，未到法定退休年龄。",
    _check_age,
    "年龄以实名认证的证件为准；如证件信息有误，请先在“个人中心”更正实名信息。",
)
_NONE_OPEN: Final = Condition(
    "no-open-application",
    "没有尚未办结的灵活就业登记申请。",
    _check_none_open,
    "请在申请列表中继续办理、撤回或删除原申请。",
)
CONDITIONS: Final[dict[rules.Kind, tuple[Condition[Situation], ...]]] = {
    rules.Kind.REGISTRATION: (
        _OF_WORKING_AGE,
        Condition(
            "not-registered",
            "没有有效的灵活就业登记。",
            _check_not_registered,
            "信息有变化的，请办理灵活就业登记变更；不再灵活就业的，请先注销原登记。",
        ),
        _NONE_OPEN,
    ),
    rules.Kind.CHANGE: (
        _OF_WORKING_AGE,
        Condition(
            "registered",
            "已办理灵活就业登记，且登记有效。",
            _check_registered,
            "请先办理灵活就业登记（新增）。",
        ),
        _NONE_OPEN,
    ),
}
# EMP-07 … EMP-09: 注销 needs no form of its own; what it asks for is told all the same.
CANCELLATION: Final = (
    Condition(
        "registered",
        "已办理灵活就业登记，且登记有效。",
        _check_cancellable,
        "只能注销审核通过且有效的登记；尚未审核的申请请撤回或删除，已无效的登记无需注销。",
    ),
)
CANCELLATION_GUIDE: Final = "flexible-employment-cancellation"
GUIDES: Final = {
    rules.Kind.REGISTRATION: "flexible-employment",
    rules.Kind.CHANGE: "flexible-employment-change",
}
