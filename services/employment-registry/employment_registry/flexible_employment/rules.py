"""Who may register as flexibly employed, what must be stated, and who decides when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from employment_registry.checks import rules as checks
from employment_registry.checks.rules import Asked, Sign, System
from employment_registry.places import street_faults
from employment_registry.working_age import WorkingAge, age_faults
from servicekit import messages
from servicekit.claims import ready_reasons
from servicekit.errors import Conflict, FieldError, Invalid, NotFound
from servicekit.personal import MobileNumber
from servicekit.teamwork.rules import team_moves
from servicekit.workflow import Role, State, Workflow, move

# Moves that stay where they are (save, delete, claim) change no state and tell nobody; they stand
# here because they are allowed from these states only, and the portal draws its buttons from here.
WORKFLOW: Final = Workflow(
    "employment-registry.flexible-employment",
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
    move("cancel", State.APPROVED, State.CANCELLED, Role.APPLICANT),
    # Ended by what happened: retirement, a pension, a death.
    move("cancel", State.APPROVED, State.CANCELLED, Role.SYSTEM),
    # The record that a change was meant for has been cancelled meanwhile.
    move("lapse", (State.CHECKING, State.SUBMITTED, State.RETURNED), State.WITHDRAWN, Role.SYSTEM),
    *checks.MOVES,
)
FILED: Final = tuple(
    sorted(WORKFLOW.states - {State.DRAFT, State.CHECKING})
)  # EMP-03: what officers may see
# What becomes of the applications of a record that is cancelled.
ENDINGS: Final = {
    State.DRAFT: "delete",
    State.CHECKING: "lapse",
    State.SUBMITTED: "lapse",
    State.RETURNED: "lapse",
    State.APPROVED: "cancel",
}

REQUIRED: Final = {
    "employment_type": "请选择灵活就业类型",
    "started_on": "请填写就业开始日期",
    "work_place": "请选择就业地点",
    "address": "请填写详细地址",
    "occupation": "请填写从事职业",
    "monthly_income": "请填写月收入",
    "contact_phone": "请填写联系电话",
}
ASKED: Final = Asked(
    tuple(System), {sign: checks.REFUSALS[sign] for sign in (Sign.DEAD, Sign.PENSIONER)}
)
BUSINESS_DIGITS: Final = "01"  # of the 受理编号
# What the portal asks before 注销 (EMP-08).
CANCELLATION_WARNING: Final = "注销后该登记即为无效，且不可恢复，请谨慎操作。确定要注销吗？"
LARGEST_INCOME: Final = Decimal("9999999.99")


class Kind(StrEnum):
    """What an application asks for."""

    REGISTRATION = "registration"  # 新增
    CHANGE = "change"  # 变更


class EmploymentType(StrEnum):
    """How a person earns a living without an employer."""

    SELF_EMPLOYED = "self-employed"
    PART_TIME = "part-time"
    PLATFORM = "platform"
    TEMPORARY = "temporary"
    FREELANCE = "freelance"
    FAMILY = "family"
    OTHER = "other"


# The first three are those of 国务院办公厅关于支持多渠道灵活就业的意见（国办发〔2020〕27号）,
# the others are what people answer beside them.
EMPLOYMENT_TYPES: Final = {
    EmploymentType.SELF_EMPLOYED: "个体经营",
    EmploymentType.PART_TIME: "非全日制就业",
    EmploymentType.PLATFORM: "新就业形态（平台就业）",
    EmploymentType.TEMPORARY: "临时性、季节性工作",
    EmploymentType.FREELANCE: "自由职业",
    EmploymentType.FAMILY: "家庭帮工",
    EmploymentType.OTHER: "其他灵活就业",
}


@dataclass(frozen=True, slots=True)
class Employment:
    """个人就业信息, as far as it is filled in."""

    employment_type: EmploymentType | None = None
    started_on: date | None = None
    work_place: str | None = None
    address: str | None = None
    occupation: str | None = None
    monthly_income: Decimal | None = None
    contact_phone: MobileNumber | None = None


EMPLOYMENT_FIELDS: Final = tuple(f.name for f in fields(Employment))
REASONS: Final = ready_reasons(__package__)


class OpenApplication(Conflict):
    """EMP-10: the person has an application that is not decided yet."""

    code = "application-open"
    default_message = "您有一件灵活就业登记申请尚未办结，请先办结、撤回或删除后再申请。"


class AlreadyRegistered(Conflict):
    """EMP-10: the person has a valid record; it can be changed or cancelled, not doubled."""

    code = "already-flexibly-employed"
    default_message = "您已办理灵活就业登记，如信息有变化请办理变更。"


class NotFlexiblyEmployed(Conflict):
    """EMP-05: there is no record to change."""

    code = "not-flexibly-employed"
    default_message = "您当前不是灵活就业状态，不能办理变更，请先办理新增登记。"


class RecordInvalid(Conflict):
    """EMP-08: the record is 无效, for ever."""

    code = "record-invalid"
    default_message = "该灵活就业登记已无效，不能再变更或注销；如需登记请重新办理新增。"


class OnlyApprovedCanBeCancelled(Conflict):
    """EMP-09."""

    code = messages.ONLY_APPROVED_CAN_BE_CANCELLED.code
    default_message = messages.ONLY_APPROVED_CAN_BE_CANCELLED.text


class ApplicationNotFound(NotFound):
    """There is none, or it is not theirs to see: the answer is the same."""

    code = "application-not-found"
    default_message = "未找到该灵活就业登记申请。"


class RecordNotFound(NotFound):
    """The person has never been registered as flexibly employed, or is not any more."""

    code = "record-not-found"
    default_message = "您当前没有有效的灵活就业登记。"


class Incomplete(Invalid):
    """AL-01: everything that is missing or wrong, at once."""

    code = "application-incomplete"
    default_message = "申请信息不完整或有误，请按提示修改后再提交。"


def check_kind(kind: Kind, *, is_registered: bool, was_registered: bool) -> None:
    """A registration needs that there is no valid record, a change that there is one.

    Raises:
        AlreadyRegistered, NotFlexiblyEmployed, RecordInvalid: EMP-05, EMP-08, EMP-10.
    """
    if kind is Kind.REGISTRATION and is_registered:
        raise AlreadyRegistered
    if kind is Kind.CHANGE and not is_registered:
        raise RecordInvalid if was_registered else NotFlexiblyEmployed


def check_submission(
    employment: Employment, *, born_on: date, sex: str, today: date, ages: WorkingAge
) -> None:
    """Everything the form must say, and the person's age, in one answer.

    Args:
        ages: the policy in force today.

    Raises:
        Incomplete: with one field error per wrong field (AL-01).
    """
    faults = [
        *age_faults(born_on, sex, today, ages),
        *_missing(employment),
        *_start_faults(employment.started_on, born_on, today, ages),
        *street_faults(employment.work_place, "/employment/work_place"),
    ]
    if faults:
        raise Incomplete(fields=faults)


def check_cancellation(state: State, *, record_is_valid: bool) -> None:
    """注销 only what has been approved and still stands.

    Raises:
        RecordInvalid, OnlyApprovedCanBeCancelled: EMP-08, EMP-09.
    """
    if state is State.CANCELLED or (state is State.APPROVED and not record_is_valid):
        raise RecordInvalid
    if state is not State.APPROVED:
        raise OnlyApprovedCanBeCancelled


def _missing(employment: Employment) -> Iterator[FieldError]:
    for name, text in REQUIRED.items():
        if getattr(employment, name) is None:
            yield FieldError(f"/employment/{name}", "missing", text)


def _start_faults(
    started_on: date | None, born_on: date, today: date, ages: WorkingAge
) -> Iterator[FieldError]:
    if started_on is None:
        return
    if started_on > today:
        yield FieldError("/employment/started_on", "in-the-future", "就业开始日期不能晚于今天")
    elif not ages.is_old_enough(born_on, started_on):
        text = f"就业开始日期时未满{ages.youngest_years}周岁"
        yield FieldError("/employment/started_on", "too-young", text)
