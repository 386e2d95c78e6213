"""Who may apply for an authorisation code, with what, who decides, and how long it lasts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from servicekit.claims import Reason
from servicekit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, TooMany
from servicekit.file_kinds import JPEG, PDF, PNG, FileKind
from servicekit.regions import CITY_DIGITS, COUNTY_DIGITS, PROVINCE_DIGITS
from servicekit.workflow import Role, State, Workflow, move

_WAITING: Final = (State.SUBMITTED, State.ACCEPTED)

# One case is one unit of an application: each unit's own agency decides on it alone.
WORKFLOW: Final = Workflow(
    "employer-auth.authorisation-code",
    State.DRAFT,
    move("save", State.DRAFT, State.DRAFT, Role.APPLICANT),
    move("save", State.RETURNED, State.RETURNED, Role.APPLICANT),
    move("delete", State.DRAFT, State.DRAFT, Role.APPLICANT),
    move("submit", (State.DRAFT, State.RETURNED), State.SUBMITTED, Role.APPLICANT),
    move("submit", State.DRAFT, State.SUBMITTED, Role.WINDOW),
    move("withdraw", (*_WAITING, State.RETURNED), State.WITHDRAWN, Role.APPLICANT),
    move("claim", State.SUBMITTED, State.SUBMITTED, Role.REVIEWER),
    move("claim", State.ACCEPTED, State.ACCEPTED, Role.REVIEWER),
    move("claim", State.ACCEPTED, State.ACCEPTED, Role.APPROVER),
    move("accept", State.SUBMITTED, State.ACCEPTED, Role.REVIEWER),  # 初审
    move("accept", State.SUBMITTED, State.ACCEPTED, Role.WINDOW),
    move("approve", State.ACCEPTED, State.APPROVED, Role.APPROVER),  # 复核, another officer
    move("return", _WAITING, State.RETURNED, Role.REVIEWER),
    move("return", State.ACCEPTED, State.RETURNED, Role.APPROVER),
    move("reject", _WAITING, State.REJECTED, Role.REVIEWER),
    move("reject", State.ACCEPTED, State.REJECTED, Role.APPROVER),
    move("reissue", State.APPROVED, State.APPROVED, Role.APPLICANT),
    move("redeem", State.APPROVED, State.APPROVED, Role.APPLICANT),  # 授权码实名
    move("revoke", State.APPROVED, State.CANCELLED, Role.REVIEWER),
    move("revoke", State.APPROVED, State.CANCELLED, Role.APPLICANT),  # by the unit
    move("lapse", State.RETURNED, State.WITHDRAWN, Role.SYSTEM),  # nobody corrected it
)
OPEN: Final = (State.DRAFT, *_WAITING, State.RETURNED)
EDITABLE: Final = (State.DRAFT, State.RETURNED)
FILED: Final = tuple(sorted(WORKFLOW.states - {State.DRAFT}))
DECIDED: Final = (State.APPROVED, State.REJECTED, State.WITHDRAWN, State.CANCELLED)

MEGABYTE: Final = 1024 * 1024
_PAPER: Final = frozenset({JPEG, PNG, PDF})
_PURPOSE: Final = "authorisation-code"

LICENCE: Final = FileKind("unit-licence", "营业执照或登记证书", _PURPOSE, _PAPER, 8 * MEGABYTE)
LETTER: Final = FileKind("unit-letter", "单位委托书（盖单位公章）", _PURPOSE, _PAPER, 8 * MEGABYTE)
DOCUMENT: Final = FileKind("agent-document", "经办人有效身份证件", _PURPOSE, _PAPER, 8 * MEGABYTE)

BUSINESS_DIGITS: Final = "21"  # of the 受理编号
MOST_UNITS: Final = 20  # in one application
MOST_FILES: Final = 5  # of one unit, and of the agent
CODE_BITS: Final = 128
TRIES: Final = 10  # at entering a code, right or wrong
TRIES_WINDOW: Final = timedelta(hours=1)
REISSUES: Final = 3
REISSUES_WINDOW: Final = timedelta(days=1)
# What a mandate says once the code has been entered (REF-07); no unit can grant it.
BUSINESS: Final = "employer-auth.social-insurance"
ACTION: Final = "authorised"
PERMISSION: Final = f"{BUSINESS}:{ACTION}"

OF_UNIT: Final = (LICENCE, LETTER)  # handed in for each unit
OF_AGENT: Final = (DOCUMENT,)  # handed in once
FILES: Final = (*OF_UNIT, *OF_AGENT)


class Channel(StrEnum):
    """Where the application was taken in."""

    ONLINE = "online"
    COUNTER = "counter"  # 社保服务窗口 (EA-08)


REASONS: Final = (
    Reason("licence-illegible", "return", "营业执照或登记证书照片不清晰，请重新拍摄后上传。"),
    Reason("letter-without-seal", "return", "单位委托书未盖单位公章，请盖章后重新上传。"),
    Reason("letter-other-person", "return", "单位委托书中的经办人与申请人不一致，请核对后上传。"),
    Reason("document-expired", "return", "经办人身份证件已过有效期，请上传有效证件。"),
    Reason("not-entrusted", "reject", "经向单位核实，单位未委托您办理社会保险业务。"),
    Reason("unit-deregistered", "reject", "该单位已注销登记，不能办理单位授权码。"),
)


@dataclass(frozen=True, slots=True)
class Handed:
    """The files handed in for one unit, or for the agent."""

    place: str
    kinds: Collection[str]


class ApplicationNotFound(NotFound):
    """There is none, or it is not theirs to see."""

    code = "application-not-found"
    default_message = "未找到该申请，请在办件列表中查看。"


class NotBoundTo(Conflict):
    """Only an agent whom the unit has bound applies for its code."""

    code = "not-bound-to-unit"
    default_message = (
        "您尚未与所选单位绑定，或绑定已暂停；请先由单位在子账号信息中发起绑定，"
        "再由您在父账号信息中确认。"
    )


class CaseOpen(Conflict):
    """One application per unit at a time."""

    code = "application-open"
    default_message = "所选单位已有您尚未办结的授权码申请，请先办结、撤回或删除后再申请。"


class AlreadyAuthorised(Conflict):
    """The code has been entered already."""

    code = "already-authorised"
    default_message = "您已完成所选单位的授权码实名，无需再次申请。"


class CodeWaiting(Conflict):
    """There is a code that may still be entered."""

    code = "code-waiting"
    default_message = "所选单位的授权码已发出且在有效期内，请在“授权码实名”中填写或重新发送。"


class NoUnits(Invalid):
    """None, or too many."""

    code = "no-units"
    default_message = f"请勾选需要授权的单位，一次最多 {MOST_UNITS} 家。"


class UnitsFixed(Conflict):
    """A filed application keeps its units."""

    code = "units-fixed"
    default_message = "申请已提交，不能增减单位，请只补正被退回单位的材料。"


class Incomplete(Invalid):
    """Every material that is missing, at once."""

    code = "application-incomplete"
    default_message = "材料不齐全，请按提示补充后再提交。"


class OriginalsNotSeen(Invalid):
    """At the window an officer compares the originals (EA-08)."""

    code = "originals-not-seen"
    default_message = "窗口受理须核对原件，请确认已核对后再提交。"


class CodeMistyped(Invalid):
    """The check character is wrong: nothing was compared."""

    code = "code-mistyped"
    default_message = "授权码输入有误，请对照短信逐位核对后重新填写。"


class CodeUnknown(NotFound):
    """No code of this person's; whether it is another's is not told."""

    code = "code-unknown"
    default_message = "授权码不正确，请核对短信中的授权码；连续填错将暂停填写。"


class CodeUsed(Conflict):
    """A code is entered once."""

    code = "code-already-used"
    default_message = "该授权码已使用，不能重复使用；如需重新办理，请再次申请单位授权码。"


class CodeExpired(Conflict):
    """Its days are over."""

    code = "code-expired"
    default_message = "授权码已过期，请重新申请单位授权码。"


class CodeRevoked(Conflict):
    """An officer or the unit has revoked it."""

    code = "code-revoked"
    default_message = "该授权码已被撤销，请联系单位或所属社保经办机构。"


class TooManyCodes(TooMany):
    """Wrong codes, or codes sent again, too often."""

    code = "too-many-codes"
    default_message = "填写授权码次数过多，请稍后再试。"


class CodeNotActivated(Forbidden):
    """REF-07: before 授权码实名 no business that needs it."""

    code = "auth-code-not-activated"
    default_message = "请先申请单位授权码，收到短信后完成“授权码实名”，再办理该业务。"


def check_units(unit_ids: Sequence[str]) -> None:
    """Raises: NoUnits"""
    if not 1 <= len(unit_ids) <= MOST_UNITS:
        raise NoUnits


def check_materials(handed: Iterable[Handed], agent: Handed) -> None:
    """Everything the channel asks for is there.

    Raises:
        Incomplete: naming every missing material of every unit.
    """
    wrong = [
        FieldError(each.place, "material-missing", f"请上传{kind.label}")
        for each, needed in [*((unit, OF_UNIT) for unit in handed), (agent, OF_AGENT)]
        for kind in needed
        if kind.code not in each.kinds
    ]
    if wrong:
        raise Incomplete(fields=wrong)


def check_kinds(given: Iterable[str], allowed: Sequence[FileKind], place: str) -> None:
    """Files stand where they belong, and not too many.

    Raises:
        Invalid
    """
    kinds, codes = list(given), {kind.code for kind in allowed}
    if len(kinds) > MOST_FILES:
        message = f"每处最多 {MOST_FILES} 个文件"
        raise Invalid(fields=[FieldError(place, "too-many-files", message)])
    if set(kinds) - codes:
        words = "、".join(kind.label for kind in allowed)
        raise Invalid(fields=[FieldError(place, "wrong-material", f"此处只能是：{words}")])


def check_code(
    *, state: State, redeemed_at: datetime | None, expires_at: datetime | None, now: datetime
) -> None:
    """May this code still be entered?

    Raises:
        CodeUsed, CodeRevoked, CodeExpired
    """
    if state is not State.APPROVED:
        raise CodeRevoked
    if redeemed_at is not None:
        raise CodeUsed
    if expires_at is None or expires_at <= now:
        raise CodeExpired


def common_region(regions: Collection[str]) -> str:
    """The smallest region around several units' regions, for the application's number."""
    first, last = min(regions), max(regions)
    for digits in (COUNTY_DIGITS, CITY_DIGITS):
        if first[:digits] == last[:digits]:
            return first[:digits]
    return first[:PROVINCE_DIGITS]


def case_number(number: str, position: int) -> str:
    """One unit's part of an application: the application's 受理编号 and the unit's place in it."""
    return f"{number}-{position:02d}"


def is_open(state: State) -> bool:
    """Is it not decided yet?"""
    return state in OPEN


def is_editable(state: State) -> bool:
    """May the agent change its materials?"""
    return state in EDITABLE


def is_draft(state: State) -> bool:
    """Was it never filed?"""
    return state is State.DRAFT


def is_decided(state: State) -> bool:
    """Is nothing more to be decided?"""
    return state in DECIDED
