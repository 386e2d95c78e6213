"""What is asked of which register, what its answer means, and when it is left alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from employment_registry.places import PROVINCE
from servicekit import messages
from servicekit.errors import Conflict, OutsideFailed
from servicekit.identifiers import DocumentKind
from servicekit.workflow import Move, Role, State, move

LEASE: Final = timedelta(seconds=60)  # after a crash in the middle of asking
BREAKS_AFTER: Final = 5  # failures in a row; then a system is left alone for a while
BREAK: Final = timedelta(seconds=30)

# What every matter's table has beside its own moves. The person's own move is 提交; where it leads
# depends on whether there is anybody to ask, so the service makes these.
MOVES: Final[tuple[Move[State], ...]] = (
    move("check", (State.DRAFT, State.RETURNED), State.CHECKING, Role.SYSTEM),
    move("submit", State.CHECKING, State.SUBMITTED, Role.SYSTEM),
    move("refuse", State.CHECKING, State.RETURNED, Role.SYSTEM),
    move("give-up", State.CHECKING, State.CHECKING, Role.SYSTEM),
    move("check-again", State.CHECKING, State.CHECKING, Role.APPLICANT),
    move("withdraw", State.CHECKING, State.WITHDRAWN, Role.APPLICANT),
)

# Not decided yet: a person has one such application of a matter at a time (EMP-10, CRT-08).
OPEN: Final = (State.DRAFT, State.CHECKING, State.SUBMITTED, State.RETURNED)


class System(StrEnum):
    """The registers that are asked."""

    POPULATION_REGISTER = "population-register"  # 公安人口库
    SOCIAL_SECURITY = "social-security"  # 社会保险与税务征缴

    @property
    def label(self) -> str:
        """The word people read."""
        return _SYSTEMS[self]


_SYSTEMS: Final = {
    System.POPULATION_REGISTER: "公安人口库",
    System.SOCIAL_SECURITY: "社会保险与税务数据",
}


class Progress(StrEnum):
    """How far the question to one register is."""

    WAITING = "waiting"  # to be asked, or to be asked again
    ASKING = "asking"
    ANSWERED = "answered"
    FAILED = "failed"  # the retries are used up


UNFINISHED: Final = (Progress.WAITING, Progress.ASKING)


class Sign(StrEnum):
    """What a register's answer shows."""

    DISAGREES = "name-disagrees"
    DEAD = "dead"
    HUKOU_ELSEWHERE = "hukou-elsewhere"
    EMPLOYED = "insured-by-employer"
    PENSIONER = "pensioner"


SIGNS: Final = {
    Sign.DISAGREES: "姓名与公民身份号码不一致",
    Sign.DEAD: "该人员已登记死亡",
    Sign.HUKOU_ELSEWHERE: "户籍地不在本省",
    Sign.EMPLOYED: "由用人单位参加社会保险",
    Sign.PENSIONER: "已享受基本养老保险待遇",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A sign, and the day from which it holds, where the register says one."""

    sign: Sign
    since: date | None = None

    def as_json(self) -> dict[str, str | None]:
        """As it is kept."""
        return {"sign": self.sign.value, "since": self.since.isoformat() if self.since else None}

    @classmethod
    def of(cls, kept: Mapping[str, str | None]) -> Finding:
        """As it was kept."""
        since = kept["since"]
        return cls(Sign(kept["sign"] or ""), date.fromisoformat(since) if since else None)

    @property
    def sentence(self) -> str:
        """What the officer reads."""
        since = f"（自{self.since.year}年{self.since.month}月起）" if self.since else ""
        return f"{SIGNS[self.sign]}{since}"


# What closes the way by itself, and what the person does next; the rest is for the officer.
DEAD_REFUSAL: Final = (
    "公安人口库显示该人员已登记死亡，无法办理。如登记有误，请到户籍地派出所更正后重新提交。"
)
PENSION_REFUSAL: Final = (
    "社会保险登记显示您已享受基本养老保险待遇，不属于登记范围。如有疑问，请向社保经办机构核实。"
)
EMPLOYED_REFUSAL: Final = (
    "社会保险登记显示您目前由用人单位参保，不属于失业。"
    "如已离职，请原单位办理停保后重新提交，或向社保经办机构反映。"
)
REFUSALS: Final = {
    Sign.DEAD: DEAD_REFUSAL,
    Sign.PENSIONER: PENSION_REFUSAL,
    Sign.EMPLOYED: EMPLOYED_REFUSAL,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which registers a matter asks, and which signs refuse by themselves."""

    systems: tuple[System, ...]
    refusals: Mapping[Sign, str]


class StillChecking(Conflict):
    """Nothing to press yet: the service asks again by itself."""

    code = "still-checking"
    default_message = "正在向有关部门核验，系统会自动重试，请稍后查看；有结果后会通知您。"


class NotChecking(Conflict):
    """There is nothing left to be checked."""

    code = "not-checking"
    default_message = "该申请无需核验，请刷新后查看。"


class StillFailing(OutsideFailed):
    """PRT-07: the register is known to be down; nothing is lost, the same key succeeds later."""

    default_message = messages.EXTERNAL_UNAVAILABLE.text


def systems_for(asked: Asked, document_kind: str, off: Collection[str]) -> list[System]:
    """Which registers are asked about the holder of such a document.

    The register of residents knows resident cards only.
    """
    is_resident = document_kind == DocumentKind.RESIDENT_CARD.value
    return [
        system
        for system in asked.systems
        if system.value not in off and (is_resident or system is not System.POPULATION_REGISTER)
    ]


def resident_signs(*, agrees: bool, is_alive: bool, hukou: str) -> list[Finding]:
    """What the answer of the register of residents shows."""
    if not agrees:
        return [Finding(Sign.DISAGREES)]
    found = [] if is_alive else [Finding(Sign.DEAD)]
    return found if hukou.startswith(PROVINCE) else [*found, Finding(Sign.HUKOU_ELSEWHERE)]


def insurance_signs(*, employed_since: date | None, is_pensioner: bool) -> list[Finding]:
    """What the answer of social security shows."""
    found = [] if employed_since is None else [Finding(Sign.EMPLOYED, employed_since)]
    return [*found, Finding(Sign.PENSIONER)] if is_pensioner else found


def refusal(asked: Asked, findings: Sequence[Finding]) -> str | None:
    """Why the application goes no further, for the person; None when an officer decides."""
    said = [asked.refusals[f.sign] for f in findings if f.sign in asked.refusals]
    return "".join(dict.fromkeys(said)) or None


def is_checking(state: State) -> bool:
    """Do registers still have to answer?"""
    return state is State.CHECKING


def broken_until(failures: int, now: datetime) -> datetime | None:
    """Until when a system that failed so often in a row is left alone; None is not at all."""
    return now + BREAK if failures >= BREAKS_AFTER else None
