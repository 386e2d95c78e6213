"""Whom does a change of policy touch, and how? The same values and rules as on the day itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from employment_registry.certificate.policy import CertificatePolicy
from employment_registry.policy_kinds import (
    EndingNotice,
    LookBack,
    Patience,
    ReviewLimit,
    ServicePlacePause,
    SharedPhone,
)
from employment_registry.unemployment.place_rules import next_change
from employment_registry.working_age import WorkingAge, age_faults, category_of
from servicekit.errors import Conflict, NotFound
from servicekit.policy_rules import Status
from servicekit.workflow import State

TITLES: Final[Mapping[str, str]] = {
    "working-age": "就业年龄与法定退休年龄",
    "review-limit": "审核时限",
    "unemployment-look-back": "失业日期最长追溯期",
    "service-place-pause": "变更服务地间隔",
    "certificate": "就业创业证编号与发放",
    "ending-notice": "终止登记的告知、申诉与补正期限",
    "check-patience": "外厅局接口核验的重试次数与时限",
    "shared-phone": "多人使用同一联系电话的提示",
}


class Phase(StrEnum):
    """Where a policy stands today."""

    DRAFT = "draft"
    COMING = "coming"
    IN_FORCE = "in-force"
    PAST = "past"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The word people read."""
        return _LABELS[self]


_LABELS: Final = {
    Phase.DRAFT: "拟定",
    Phase.COMING: "待生效",
    Phase.IN_FORCE: "生效中",
    Phase.PAST: "已失效",
    Phase.WITHDRAWN: "已撤销",
}


class NotTried(Conflict):
    """Nobody activates what they have not seen the effect of."""

    code = "policy-not-tried"
    default_message = "请先试运行该政策，待试运行完成并查看影响范围后再启用"


class TrialRunning(Conflict):
    """It is being tried."""

    code = "policy-trial-running"
    default_message = "该政策正在试运行，请稍后查看结果"


class NotDraft(Conflict):
    """Only what is not decided yet is tried."""

    code = "policy-not-draft"
    default_message = "该政策已启用或已撤销，不能试运行"


class TrialNotFound(NotFound):
    """It was never tried."""

    code = "policy-trial-not-found"
    default_message = "该政策尚未试运行"


@dataclass(frozen=True, slots=True)
class Case:
    """One application that is not decided, or one registration in force, as policies see it.

    ``kind`` is what the application asks for; ``changed_on`` when the office changed last;
    ``days_left`` what a return left of the officers' working days; ``phone_others`` how many other
    persons gave the same telephone, where a trial is about that.
    """

    matter: str
    is_record: bool
    state: State
    born_on: date
    sex: str
    kind: str | None = None
    unemployed_on: date | None = None
    changed_on: date | None = None
    days_left: int | None = None
    phone_others: int = 0

    @property
    def is_unseen(self) -> bool:
        """No officer knows of it yet (UNE-04): a draft, or one that registers are asked about."""
        return not self.is_record and self.state in (State.DRAFT, State.CHECKING)

    @property
    def is_checked_again(self) -> bool:
        """Will its form be checked when it is submitted, for the first time or after a return?"""
        return not self.is_record and self.state in (State.DRAFT, State.RETURNED)


def phase(status: Status, first_day: date, next_first_day: date | None, today: date) -> Phase:
    """Where a policy stands.

    Args:
        next_first_day: when the next active one of its kind begins; None when there is none.
    """
    if status is not Status.ACTIVE:
        return Phase.DRAFT if status is Status.DRAFT else Phase.WITHDRAWN
    if today < first_day:
        return Phase.COMING
    is_over = next_first_day is not None and next_first_day <= today
    return Phase.PAST if is_over else Phase.IN_FORCE


def check_may_try(status: Status) -> None:
    """Only a draft is tried.

    Raises:
        NotDraft
    """
    if status is not Status.DRAFT:
        raise NotDraft


def effect(before: Any, after: Any, case: Case, day: date) -> str | None:
    """What a change means for a case, in words; None when it means nothing.

    Args:
        before, after: the policy that would hold on ``day``, and the drafted one.
    """
    return _EFFECTS[type(after)](before, after, case, day)


def _of_ages(before: WorkingAge, after: WorkingAge, case: Case, day: date) -> str | None:
    if case.is_record:
        category = category_of(case.sex)
        old, new = (ages.retirement_month(case.born_on, category) for ages in (before, after))
        differs = old != new and max(old, new) > day
        return _told("法定退休年月", _month(old), _month(new)) if differs else None
    if not case.is_checked_again:
        return None
    old_word, new_word = (_age_word(ages, case, day) for ages in (before, after))
    return _told("再次提交时的年龄条件", old_word, new_word)


def _of_limit(before: ReviewLimit, after: ReviewLimit, case: Case, _: date) -> str | None:
    # What is with officers keeps its due date, and after their return what was left of its days.
    if case.days_left is not None or not (case.is_unseen or case.is_checked_again):
        return None
    old, new = (getattr(limit, case.matter) for limit in (before, after))
    return _told("审核时限", f"{old}个工作日", f"{new}个工作日")


def _of_look_back(before: LookBack, after: LookBack, case: Case, day: date) -> str | None:
    if not case.is_checked_again or case.unemployed_on is None:
        return None
    ago = day - case.unemployed_on
    old, new = ("未超期" if ago <= each.length else "超期" for each in (before, after))
    return _told("再次提交时的失业日期", old, new)


def _of_pause(
    before: ServicePlacePause, after: ServicePlacePause, case: Case, day: date
) -> str | None:
    if not case.is_record or case.changed_on is None:
        return None
    again = (next_change(case.changed_on, each.length) for each in (before, after))
    old, new = (max(each or day, day) for each in again)
    return _told("可再次变更服务地的日期", _day(old), _day(new))


def _of_certificate(
    before: CertificatePolicy, after: CertificatePolicy, case: Case, _: date
) -> str | None:
    both, numbered = (before, after), True
    said = None
    if case.matter != "certificate":
        if case.kind == "change":
            return None
        numbered = after.issued_with_registration
        words = [_yes(each.issued_with_registration) for each in both]
        said = _told("登记通过时发放就业创业证", *words)
    elif case.kind == "replacement":
        numbered = not after.number_stays_on_replacement
        words = [_yes(each.number_stays_on_replacement) for each in both]
        said = _told("补换后编号不变", *words)
    if said is None and numbered:
        return _told("编号结构", *("、".join(_numbering(each)) for each in both))
    return said


def _of_notice(before: EndingNotice, after: EndingNotice, case: Case, _: date) -> str | None:
    # What was announced keeps its day; a registration in force may be announced to end one day.
    if not case.is_record:
        return None
    return _told("终止登记的期限", *("、".join(_notice(each)) for each in (before, after)))


def _of_patience(before: Patience, after: Patience, case: Case, _: date) -> str | None:
    # With officers nothing is asked any more.
    if not (case.is_unseen or case.is_checked_again):
        return None
    return _told("向外厅局核验", *("、".join(_patience(each)) for each in (before, after)))


def _of_phone(before: SharedPhone, after: SharedPhone, case: Case, _: date) -> str | None:
    words = ["提示" if each.is_shared(case.phone_others) else "不提示" for each in (before, after)]
    return _told("联系电话与多人相同", *words)


_EFFECTS: Final[Mapping[type[Any], Callable[[Any, Any, Case, date], str | None]]] = {
    WorkingAge: _of_ages,
    ReviewLimit: _of_limit,
    LookBack: _of_look_back,
    ServicePlacePause: _of_pause,
    CertificatePolicy: _of_certificate,
    EndingNotice: _of_notice,
    Patience: _of_patience,
    SharedPhone: _of_phone,
}
_AGE_WORDS: Final = {None: "符合", "too-young": "未满工作年龄", "retired": "已到法定退休年龄"}
_PART_WORDS: Final = {
    "region": "行政区划6位",
    "nature": "户籍性质1位",
    "check": "校验1位",
    "year": "年份2位",
}


def _told(what: str, old: str, new: str) -> str | None:
    return None if old == new else f"{what}：{old} → {new}"


def _age_word(ages: WorkingAge, case: Case, day: date) -> str:
    faults = age_faults(case.born_on, case.sex, day, ages)
    return _AGE_WORDS[next((fault.code for fault in faults), None)]


def _numbering(policy: CertificatePolicy) -> list[str]:
    return [_PART_WORDS.get(name, f"顺序号{policy.serial_digits}位") for name in policy.number]


def _notice(policy: EndingNotice) -> list[str]:
    days = {"告知": policy.notice, "申诉审核": policy.review, "补正": policy.correction}
    return [f"{name}{each}个工作日" for name, each in days.items()]


def _patience(policy: Patience) -> list[str]:
    pause, longest = policy.first_pause.total_seconds(), policy.longest.total_seconds() // 60
    return [f"最多{policy.attempts}次", f"首次间隔{pause:.0f}秒", f"最长{longest:.0f}分钟"]


def _month(day: date) -> str:
    return f"{day.year}年{day.month}月"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _yes(said: bool) -> str:
    return "是" if said else "否"
