"""Who may be handed an application, what an approval waits for, and how often one may urge.

Pure; the tables stand in ``tables``, what is done in ``reviews`` and the modules beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Final

from servicekit import working_days
from servicekit.errors import Conflict, FieldError, Invalid, NotFound
from servicekit.workflow import Move, Role, State, move

MOST_AT_ONCE: Final = 200  # applications of one batch
MOST_ASKED: Final = 5  # officers of one joint review
URGED_AT_MOST: Final = 5  # times in the life of an application
SAMPLE_PERCENT: Final = 5  # of a batch's approvals that another officer has to look at
MOST_ALIKE: Final = 20  # possible duplicates that an officer is asked to look at


class OpinionKind(StrEnum):
    """What a colleague is asked for."""

    ADVICE = "advice"  # 加签: an opinion, whatever it says
    JOINT = "joint"  # 会签: without agreement there is no approval


class Answer(StrEnum):
    """What a colleague says."""

    AGREE = "agree"
    DISAGREE = "disagree"


class Verdict(StrEnum):
    """What an officer finds of a possible duplicate (疑似重复)."""

    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another filer who may be the applicant once more (AL-12).

    Args:
        other: a name for them that says nothing and stays, for one application.
        key: by which the matter knows them.
        by: what the two have in common, in the matter's words.
        holds: they have already what is asked for, and nobody may have it twice.
    """

    other: str
    key: bytes
    by: tuple[str, ...]
    holds: bool = False


@dataclass(frozen=True, slots=True)
class KnownOfficer:
    """An officer as identity announced them: where, for what, and whether still in office."""

    officer_id: str
    region: str
    businesses: frozenset[str]
    roles: frozenset[str]
    is_active: bool


class OfficerUnsuitable(Invalid):
    """AL-10: nobody known by this id reviews this business where the application was filed."""

    code = "officer-unsuitable"
    default_message = "所选经办人员不存在、已停用，或不负责该地区的此项业务。"


class AssignedToOther(Conflict):
    """AL-10: it was handed to another officer; whoever is to decide has it handed over first."""

    code = "assigned-to-other"
    default_message = "该申请已转办给其他经办人员；如需由您办理，请先转办给自己并说明原因。"


class AlreadyAssigned(Conflict):
    """It has been handed to this officer already."""

    code = "already-assigned"
    default_message = "该申请已由所选经办人员办理，无需转办。"


class OpinionOpen(Conflict):
    """AL-10: colleagues were asked, and not all have answered or agreed."""

    code = "opinion-open"
    default_message = "加签或会签尚未完成（或有人不同意），暂不能审核通过。"


class AlreadyAsked(Conflict):
    """The colleague has not answered the question before."""

    code = "opinion-already-asked"
    default_message = "已向该经办人员征求意见，请等待其答复。"


class OpinionNotFound(NotFound):
    """There is none, it was withdrawn, or it is not theirs to answer."""

    code = "opinion-not-found"
    default_message = "未找到该征求意见，或已答复、已撤回。"


class DuplicatesUnseen(Conflict):
    """AL-12: nothing is approved before its possible duplicates were looked at."""

    code = "duplicates-unseen"
    default_message = "该申请有疑似重复的人员或单位，请先逐一比对并注明结论，再审核通过。"


class HeldByDuplicate(Conflict):
    """AL-12: an officer found that the applicant has it already, under another document."""

    code = "held-by-duplicate"
    default_message = (
        "经比对为同一主体，且其以其他证件已有有效登记或证件，不能重复办理；"
        "请先终止原登记或作废原证件。"
    )


class DuplicateNotFound(NotFound):
    """It is no possible duplicate of this application, or not any more."""

    code = "duplicate-not-found"
    default_message = "所选对象不在该申请的疑似重复名单中，请刷新后重试。"


class UrgedToday(Conflict):
    """催办: once per working day."""

    code = "urged-already"
    default_message = "您今天（本工作日）已催办过，请等待办理。"


class UrgedEnough(Conflict):
    """催办: what was urged so often is better told by telephone."""

    code = "urged-enough"
    default_message = "该申请的催办次数已用完，请拨打办事指南中的咨询电话。"


class SecondOfficerNeeded(Conflict):
    """A sample of what is approved in batches is looked at by another officer."""

    code = "second-officer-needed"
    default_message = "该申请被抽中复核，须由另一位经办人员逐件审核。"


def team_moves(*waiting: State, alike: bool = True) -> tuple[Move[State], ...]:
    """The rows of a workflow table that several officers, and the applicant who urges, need.

    Args:
        waiting: the states in which the matter waits for a decision.
        alike: does the matter look for possible duplicates?
    """
    officers = ["transfer", "ask-opinion", "withdraw-opinion", "give-opinion"]
    officers += ["mark-duplicates"] if alike else []
    rows = [move(name, state, state, Role.REVIEWER) for name in officers for state in waiting]
    rows += [move("hold-for-second", state, state, Role.SYSTEM) for state in waiting]
    return (*rows, *(move("urge", state, state, Role.APPLICANT) for state in waiting))


def check_suitable(
    wanted: Iterable[str], known: Iterable[KnownOfficer], *, business: str, region: str, field: str
) -> None:
    """May all of these be handed an application, or asked about it?

    Args:
        wanted: ids, in the order in which they were given.
        region: where the application was filed.
        field: JSON pointer of the id, or of the list with ``{}`` for the place in it.

    Raises:
        OfficerUnsuitable: naming every one who may not.
    """
    suitable = {
        officer.officer_id
        for officer in known
        if officer.is_active
        and business in officer.businesses
        and Role.REVIEWER in officer.roles
        and region.startswith(officer.region)
    }
    text = OfficerUnsuitable.default_message
    wrong = [
        FieldError(field.format(place), OfficerUnsuitable.code, text)
        for place, each in enumerate(wanted)
        if each not in suitable
    ]
    if wrong:
        raise OfficerUnsuitable(fields=wrong)


def waits(kind: OpinionKind, answer: Answer | None) -> bool:
    """Does an approval wait for this opinion (not withdrawn)?"""
    return answer is None or (kind is OpinionKind.JOINT and answer is Answer.DISAGREE)


def check_agreed(awaited: int) -> None:
    """Nothing is approved while a colleague is asked, or one of a joint review disagrees.

    Raises:
        OpinionOpen
    """
    if awaited:
        raise OpinionOpen(extra={"awaited": awaited})


def check_seen(found: Iterable[Likeness], verdicts: Mapping[str, Verdict]) -> None:
    """Was every possible duplicate looked at, and does none hold what is asked for?

    Args:
        verdicts: what officers found, by ``Likeness.other``.

    Raises:
        DuplicatesUnseen: with how many are left.
        HeldByDuplicate
    """
    said = [(each, verdicts.get(each.other)) for each in found]
    if unseen := sum(1 for _, verdict in said if verdict is None):
        raise DuplicatesUnseen(extra={"unseen": unseen})
    if any(each.holds for each, verdict in said if verdict is Verdict.SAME):
        raise HeldByDuplicate


def urging_day(today: date) -> date:
    """The working day that an urging counts for; one on a holiday counts for the next."""
    if working_days.is_working_day(today):
        return today
    return working_days.add_working_days(today, 1)


def check_urging(times: int, last: date | None, day: date) -> None:
    """May the applicant urge once more?

    Args:
        times: how often they have.
        last: the working day that the last one counted for.
        day: the working day it would count for.

    Raises:
        UrgedEnough, UrgedToday: the latter with the next day on which they may.
    """
    if times >= URGED_AT_MOST:
        raise UrgedEnough
    if last is not None and last >= day:
        again = working_days.add_working_days(last, 1)
        raise UrgedToday(extra={"next_on": again.isoformat()})


def is_sampled(application_id: str, percent: int) -> bool:
    """Is it one of the ``percent`` in a hundred that a batch does not approve?

    The same whenever it is asked, so that trying again does not help.
    """
    return int.from_bytes(sha256(application_id.encode()).digest()[:4]) % 100 < percent
