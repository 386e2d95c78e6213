"""When may a form open? The conditions that service guide, check and form share (ER-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from employment_registry.conditions import Condition, OpenOne
from employment_registry.life import Standing
from employment_registry.unemployment import place_rules, rules
from employment_registry.working_age import WorkingAge, check_age

GUIDE: Final = "unemployment"
PLACE_GUIDE: Final = "service-place"


@dataclass(frozen=True, slots=True)
class Situation:
    """What the conditions look at; an open application is found by the database too."""

    born_on: date
    sex: str
    today: date
    ages: WorkingAge
    standing: Standing | None
    open_application: OpenOne | None = None


@dataclass(frozen=True, slots=True)
class PlaceSituation:
    """What the conditions of 变更服务地 look at."""

    is_unemployed: bool
    changed_on: date | None
    today: date
    pause: timedelta


def _check_age(person: Situation) -> None:
    check_age(person.born_on, person.sex, person.today, person.ages, matter=rules.MATTER)


def _check_none_open(person: Situation) -> None:
    if person.open_application is not None:
        raise person.open_application.refuse(rules.OpenApplication)


CONDITIONS: Final[tuple[Condition[Situation], ...]] = (
    Condition(
        "working-age",
        "年满{youngest_years}周岁，未到法定退休年龄。",
        _check_age,
        "年龄以实名认证的证件为准；如证件信息有误，请先在“个人中心”更正实名信息。",
    ),
    Condition(
        "not-registered",
        "目前没有就业登记，也没有失业登记。",
        lambda person: rules.check_standing(person.standing),
        "就业登记仍有效的，请先注销就业登记；已办理失业登记的，无需重复办理。",
    ),
    Condition(
        "no-open-application",
        "没有尚未办结的失业登记申请。",
        _check_none_open,
        "请在申请列表中继续办理、撤回或删除原申请。",
    ),
)
PLACE_CONDITIONS: Final[tuple[Condition[PlaceSituation], ...]] = (
    Condition(
        "unemployed",
        "目前处于失业登记状态。",
        lambda person: place_rules.check_unemployed(person.is_unemployed, person.pause),
        "请先办理失业登记。",
    ),
    Condition(
        "pause-over",
        "距上次变更服务地已满{pause_days}天。",
        lambda person: place_rules.check_pause(person.changed_on, person.today, person.pause),
        "请自提示的日期起再次变更；急需办理的，可前往当前服务地的窗口。",
    ),
)
