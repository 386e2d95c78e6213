"""What may be recovered by which proof, who decides on photographs, and until when?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from identity.pace import Limit, Pace
from servicekit.claims import Reason
from servicekit.errors import Conflict, FieldError, Invalid, NotFound, TooMany
from servicekit.file_kinds import JPEG, PDF, PNG, FileKind
from servicekit.workflow import Role, State, Workflow, move

REVIEW_DAYS: Final = 2  # working days, ID-13: 1–2 个工作日
DRAFT_LIFE: Final = timedelta(hours=24)  # then files were never sent
STOP_LIFE: Final = timedelta(hours=72)  # how long the old phone may undo it
PROOF_LIFE: Final = timedelta(minutes=10)  # between the phone's code and the answers
LONGEST_SMS_REASON: Final = 60  # characters, so that two SMS hold it
CODE_LENGTH: Final = 10  # of query and stop codes: 49 bits
CODE_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"  # without look-alikes
BUSINESS_DIGITS: Final = {"person": "91", "unit": "92"}  # of the 受理编号

ADDRESS_LIMIT: Final = Limit("recovery-address", 60, timedelta(hours=1))  # a hall's
CASE_LIMIT: Final = Limit("recovery-cases", 5, timedelta(days=1))  # of one phone
# Each try has used up a code sent to a phone already; a name is guessed at no faster for that.
GUESSING: Final = Pace("recovery", free=4, first=timedelta(minutes=1), slowest=timedelta(hours=1))
CODE_GUESSING: Final = Limit("recovery-codes", 20, timedelta(hours=1))  # of one address


class Goal(StrEnum):
    """What was lost."""

    LOGIN_NAME = "login-name"  # 用户名
    PASSWORD = "password"  # noqa: S105 - 密码

    @property
    def label(self) -> str:
        """For people."""
        return {Goal.LOGIN_NAME: "用户名", Goal.PASSWORD: "密码"}[self]


class Side(StrEnum):
    """Whose account it is."""

    PERSON = "person"
    UNIT = "unit"


def _workflow(name: str, *reviewing: object) -> Workflow[State]:
    moves = (
        move("submit", (State.DRAFT, State.RETURNED), State.SUBMITTED, Role.APPLICANT),
        move("claim", State.SUBMITTED, State.SUBMITTED, Role.REVIEWER),
        move("return", State.SUBMITTED, State.RETURNED, Role.REVIEWER),
        move("reject", State.SUBMITTED, State.REJECTED, Role.REVIEWER),
        *reviewing,
    )
    return Workflow(name, State.DRAFT, *moves)  # type: ignore[arg-type]


_STOPPABLE: Final = (State.SUBMITTED, State.RETURNED)
PERSON_WORKFLOW: Final = _workflow(
    "identity.person-recovery",
    move("approve", State.SUBMITTED, State.APPROVED, Role.REVIEWER),
    move("stop", _STOPPABLE, State.WITHDRAWN, Role.SYSTEM),  # by the old phone
    move("withdraw", _STOPPABLE, State.WITHDRAWN, Role.APPLICANT),  # the consent was taken back
)
# Four eyes: one officer finds it good, another one approves (ID-13, ID-14).
UNIT_WORKFLOW: Final = _workflow(
    "identity.unit-recovery",
    move("endorse", State.SUBMITTED, State.ACCEPTED, Role.REVIEWER),
    move("claim", State.ACCEPTED, State.ACCEPTED, Role.REVIEWER),
    move("approve", State.ACCEPTED, State.APPROVED, Role.REVIEWER),
    move("return", State.ACCEPTED, State.RETURNED, Role.REVIEWER),
    move("reject", State.ACCEPTED, State.REJECTED, Role.REVIEWER),
    move("stop", (*_STOPPABLE, State.ACCEPTED), State.WITHDRAWN, Role.SYSTEM),
    move("withdraw", (*_STOPPABLE, State.ACCEPTED), State.WITHDRAWN, Role.APPLICANT),
)
FILED: Final = (
    State.SUBMITTED,
    State.ACCEPTED,
    State.RETURNED,
    State.APPROVED,
    State.REJECTED,
    State.WITHDRAWN,
)
_OVER: Final = frozenset({State.APPROVED, State.REJECTED, State.WITHDRAWN})
_CORRECTABLE: Final = frozenset({State.DRAFT, State.RETURNED})

_PICTURES: Final = frozenset({JPEG, PNG, PDF})
_LARGEST: Final = 5 * 1024 * 1024


def _file(code: str, label: str) -> FileKind:
    return FileKind(code, label, "recovery", _PICTURES, _LARGEST)


ID_FRONT: Final = _file("id-front", "身份证件正面照片")
ID_BACK: Final = _file("id-back", "身份证件反面照片")
ID_HELD: Final = _file("id-held", "手持证件照片")
CERTIFICATE: Final = _file("unit-certificate", "单位证件照片")
AGENT_ID: Final = _file("agent-id", "经办人证件照片")
LICENCE: Final = _file("licence-sealed", "营业执照（加盖公章）照片")
LETTER: Final = _file("letter-sealed", "单位委托授权书（加盖公章）照片")
KINDS: Final = (ID_FRONT, ID_BACK, ID_HELD, CERTIFICATE, AGENT_ID, LICENCE, LETTER)

PHOTO_CONSENT: Final = "document-photos"  # 个人信息保护法 29: a separate consent, by its version
CONSENT_NEEDED: Final = FieldError(
    "/consent", "consent-needed", "请阅读并单独同意《证件照片处理单独同意书》"
)

LABELS: Final = {kind.code: kind.label for kind in KINDS}

# ID-11 … ID-14; a unit's password needs the four of the manual (自然人和单位用户 3.2).
NEEDED: Final[dict[tuple[Side, Goal], tuple[FileKind, ...]]] = {
    (Side.PERSON, Goal.LOGIN_NAME): (ID_FRONT, ID_BACK, ID_HELD),
    (Side.PERSON, Goal.PASSWORD): (ID_FRONT, ID_BACK, ID_HELD),
    (Side.UNIT, Goal.LOGIN_NAME): (CERTIFICATE, AGENT_ID),
    (Side.UNIT, Goal.PASSWORD): (ID_FRONT, ID_HELD, LICENCE, LETTER),
}
LARGEST_FORM: Final = 4 * _LARGEST + 1024 * 1024  # bytes: four files and what is around them

REASONS: Final = (
    Reason("photo-unclear", "return", "照片不清晰或有遮挡，请重新拍摄后上传。"),
    Reason("photo-incomplete", "return", "照片不完整，请拍摄证件全貌后重新上传。"),
    Reason("seal-missing", "return", "材料未加盖公章，请盖章后重新上传。"),
    Reason("not-the-holder", "reject", "照片与登记信息不符，请核对或到办事大厅办理。"),
    Reason("not-matched", "reject", "填写的信息与登记信息不符，请核对后重新提交。"),
)


class RecoveryRefused(Invalid):
    """What was typed does not belong together; which of it, is not told."""

    code = "recovery-not-matched"
    default_message = "填写的信息与账号不符，请核对后重试，或选择其他找回方式"


class FormRefused(Invalid):
    """A field is empty or malformed."""

    code = "recovery-form-refused"


class ConsentGone(NotFound):
    """There is no consent to take back: none was given, or the photographs are deleted."""

    code = "consent-not-given"
    default_message = "该申请没有可以撤回的同意，照片未提交或已删除"


class RecoverySlowDown(TooMany):
    """Tried too often."""

    code = "recovery-slowed-down"
    default_message = "尝试次数过多，请稍后再试"


class NoCase(NotFound):
    """No such case, or not with this code, or another region's."""

    code = "recovery-not-found"
    default_message = "未找到该找回申请，请核对受理编号和查询码"


class NotMatched(Conflict):
    """There is no account behind the case; it can be returned or turned down."""

    code = "recovery-without-account"
    default_message = "填写的信息未匹配到账号，不能通过，请退回或不予通过"


class StopRefused(Invalid):
    """No recovery can be stopped with this code, or not any more."""

    code = "recovery-stop-refused"
    default_message = "停止码错误或已过期，如需帮助请拨打 12345"


@dataclass(frozen=True, slots=True)
class Matter:
    """Which of the four reviewed cases it is."""

    side: Side
    goal: Goal

    @property
    def needed(self) -> tuple[FileKind, ...]:
        """The photographs it takes."""
        return NEEDED[self.side, self.goal]

    @property
    def title(self) -> str:
        """For people."""
        whose = "个人" if self.side is Side.PERSON else "单位"
        what = "找回用户名" if self.goal is Goal.LOGIN_NAME else "重设密码"
        return f"{whose}{what}"


def has_photo_consent(version: str | None, withdrawn_at: datetime | None) -> bool:
    """Was it given with the photographs, and not taken back?"""
    return version is not None and withdrawn_at is None


def is_over(state: State) -> bool:
    """Is nothing more decided?"""
    return state in _OVER


def may_correct(state: State) -> bool:
    """May photographs be sent: for the first time, or after a return?"""
    return state in _CORRECTABLE


def matter_of(name: str) -> Matter | None:
    """``unit-password`` and its three siblings, as they stand in an address."""
    side, _, goal = name.partition("-")
    if side not in {str(s) for s in Side} or goal not in {str(g) for g in Goal}:
        return None
    return Matter(Side(side), Goal(goal))


def plain_code(typed: str) -> str:
    """A query or stop code as it is compared."""
    return "".join(typed.split()).replace("-", "").lower()


def shown_code(plain: str) -> str:
    """The same as it is sent: two groups of five."""
    return f"{plain[: CODE_LENGTH // 2]}-{plain[CODE_LENGTH // 2 :]}"
