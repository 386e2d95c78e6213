"""When may a person register as unemployed, who serves them, and what ends it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from employment_registry.checks import rules as checks
from employment_registry.checks.rules import Asked, System
from employment_registry.life import Standing
from employment_registry.places import street_faults
from employment_registry.working_age import WorkingAge, age_faults
from servicekit.claims import ready_reasons
from servicekit.errors import Conflict, FieldError, Invalid, NotFound
from servicekit.personal import MobileNumber
from servicekit.teamwork.rules import team_moves
from servicekit.workflow import Role, State, Workflow, move

WORKFLOW: Final = Workflow(
    "employment-registry.unemployment",
    State.DRAFT,
    move("save", State.DRAFT, State.DRAFT, Role.APPLICANT),
    move("save", State.RETURNED, State.RETURNED, Role.APPLICANT),
    move("delete", State.DRAFT, State.DRAFT, Role.APPLICANT),
    move("submit", (State.DRAFT, State.RETURNED), State.SUBMITTED, Role.APPLICANT),
    move("withdraw", State.SUBMITTED, State.WITHDRAWN, Role.APPLICANT),
    move("claim", State.SUBMITTED, State.SUBMITTED, Role.REVIEWER),
    move("approve", State.SUBMITTED, State.APPROVED, Role.REVIEWER),
    move("return", State.SUBMITTED, State.RETURNED, Role.REVIEWER),
    move("reject", State.SUBMITTED, State.REJECTED, Role.REVIEWER),
    *team_moves(State.SUBMITTED),
    move("change-service-place", State.APPROVED, State.APPROVED, Role.APPLICANT),
    # Ended by the person, by the office, or by what happened: found work, reached retirement.
    move("end", State.APPROVED, State.CANCELLED, Role.APPLICANT),
    move("end", State.APPROVED, State.CANCELLED, Role.REVIEWER),
    move("end", State.APPROVED, State.CANCELLED, Role.SYSTEM),
    *checks.MOVES,
)
FILED: Final = tuple(sorted(WORKFLOW.states - {State.DRAFT, State.CHECKING}))
MATTER: Final = "失业登记"
ASKED: Final = Asked(tuple(System), checks.REFUSALS)
BUSINESS_DIGITS: Final = "02"  # of the 受理编号


class Cause(StrEnum):
    """Why a person is without work (失业原因)."""

    LEFT_EMPLOYER = "left-employer"
    GRADUATED = "graduated"
    BUSINESS_CLOSED = "business-closed"
    FLEXIBLE_ENDED = "flexible-ended"
    LAND_TAKEN = "land-taken"
    DISCHARGED = "discharged"
    RELEASED = "released"
    OTHER = "other"


CAUSES: Final = {
    Cause.LEFT_EMPLOYER: "从用人单位失业",
    Cause.GRADUATED: "毕业（肄业）未就业",
    Cause.BUSINESS_CLOSED: "个体歇业、停业",
    Cause.FLEXIBLE_ENDED: "灵活就业失业",
    Cause.LAND_TAKEN: "承包土地被征用",
    Cause.DISCHARGED: "军人退出现役未安置",
    Cause.RELEASED: "刑满释放、假释、监外执行",
    Cause.OTHER: "其他",
}


class Wish(StrEnum):
    """What help the person wants (服务意愿)."""

    JOB = "job"  # 求职
    BUSINESS = "business"  # 创业
    TRAINING = "training"  # 培训


class Ending(StrEnum):
    """Why a registration ends (就业服务与就业管理规定 第六十六条, and the cities' lists)."""

    EMPLOYED = "employed"
    OWN_BUSINESS = "own-business"
    PENSION = "pension"
    UNABLE = "unable"
    STUDYING = "studying"
    EMIGRATED = "emigrated"
    IMPRISONED = "imprisoned"
    OWN_WISH = "own-wish"
    NO_CONTACT = "no-contact"
    REFUSED_SERVICE = "refused-service"
    RETIREMENT_AGE = "retirement-age"
    DIED = "died"


ENDINGS: Final = {
    Ending.EMPLOYED: "已就业",
    Ending.OWN_BUSINESS: "已从事个体经营或创办企业",
    Ending.PENSION: "已享受基本养老保险待遇",
    Ending.UNABLE: "完全丧失劳动能力",
    Ending.STUDYING: "入学、服兵役",
    Ending.EMIGRATED: "移居境外",
    Ending.IMPRISONED: "被判刑收监执行",
    Ending.OWN_WISH: "本人要求终止就业服务",
    Ending.NO_CONTACT: "连续六个月未与公共就业服务机构联系",
    Ending.REFUSED_SERVICE: "拒绝接受公共就业服务",
    Ending.RETIREMENT_AGE: "达到法定退休年龄",
    Ending.DIED: "死亡",
}
# What a person may say of themselves; the rest is for the office and for registers to find.
_FOUND: Final = (Ending.NO_CONTACT, Ending.REFUSED_SERVICE, Ending.RETIREMENT_AGE, Ending.DIED)
OWN_ENDINGS: Final = tuple(e for e in Ending if e not in _FOUND)

REQUIRED: Final = {
    "cause": "请选择失业原因",
    "unemployed_on": "请填写失业日期",
    "service_place": "请选择服务地",
    "address": "请填写常住地址",
    "contact_phone": "请填写联系电话",
}
REASONS: Final = ready_reasons(__package__)


@dataclass(frozen=True, slots=True)
class Statement:
    """失业登记信息: what the form says; None is not filled in."""

    cause: Cause | None = None
    unemployed_on: date | None = None
    former_employer: str | None = None
    service_place: str | None = None
    address: str | None = None
    contact_phone: MobileNumber | None = None
    wishes: tuple[str, ...] = ()


STATEMENT_FIELDS: Final = tuple(f.name for f in fields(Statement))


class OpenApplication(Conflict):
    """The person has an application that is not decided yet."""

    code = "application-open"
    default_message = "您有一件失业登记申请尚未办结，请先办结、撤回或删除后再申请。"


class AlreadyUnemployed(Conflict):
    """The person is registered; nobody is twice."""

    code = "already-unemployed"
    default_message = "您已办理失业登记，无需重复登记。"


class Employed(Conflict):
    """ER-07: nobody is both; employment that is registered ends first."""

    code = "registered-as-employed"
    default_message = "您当前为就业登记状态，请先注销就业登记后再办理失业登记。"


class ApplicationNotFound(NotFound):
    """There is none, or it is not theirs to see: the answer is the same."""

    code = "application-not-found"
    default_message = "未找到该失业登记申请。"


class RecordNotFound(NotFound):
    """The person is not registered as unemployed now."""

    code = "record-not-found"
    default_message = "您当前没有有效的失业登记。"


class Incomplete(Invalid):
    """AL-01: everything that is missing or wrong, at once."""

    code = "application-incomplete"
    default_message = "申请信息不完整或有误，请按提示修改后再提交。"


def check_standing(standing: Standing | None) -> None:
    """Nobody registers twice, and nobody is employed and unemployed (ER-07).

    Raises:
        AlreadyUnemployed, Employed
    """
    if standing is Standing.UNEMPLOYED:
        raise AlreadyUnemployed
    if standing is Standing.EMPLOYED:
        raise Employed


def check_submission(
    statement: Statement,
    *,
    born_on: date,
    sex: str,
    today: date,
    look_back: timedelta,
    ages: WorkingAge,
) -> None:
    """Everything the form must say, and the person's age, in one answer.

    Args:
        look_back: how long ago the person may have lost work (UNE-10).
        ages: the policy in force today.

    Raises:
        Incomplete: with one field error per wrong field (AL-01).
    """
    faults = [
        *age_faults(born_on, sex, today, ages, matter=MATTER),
        *_missing(statement),
        *_date_faults(statement.unemployed_on, born_on, today, look_back, ages),
        *street_faults(statement.service_place, "/unemployment/service_place"),
    ]
    if faults:
        raise Incomplete(fields=faults)


def _missing(statement: Statement) -> Iterator[FieldError]:
    for name, text in REQUIRED.items():
        if getattr(statement, name) is None:
            yield FieldError(f"/unemployment/{name}", "missing", text)
    if statement.cause is Cause.LEFT_EMPLOYER and statement.former_employer is None:
        yield FieldError("/unemployment/former_employer", "missing", "请填写原工作单位")
    if not statement.wishes:
        yield FieldError("/unemployment/wishes", "missing", "请选择至少一项服务意愿")


def _date_faults(
    unemployed_on: date | None,
    born_on: date,
    today: date,
    look_back: timedelta,
    ages: WorkingAge,
) -> Iterator[FieldError]:
    field = "/unemployment/unemployed_on"
    if unemployed_on is None:
        return
    if unemployed_on > today:
        yield FieldError(field, "in-the-future", "失业日期不能晚于今天")
    elif today - unemployed_on > look_back:
        yield FieldError(field, "too-long-ago", f"失业日期距今不能超过{look_back.days}天")
    elif not ages.is_old_enough(born_on, unemployed_on):
        yield FieldError(field, "too-young", f"失业日期时未满{ages.youngest_years}周岁")
