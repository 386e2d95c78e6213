"""When may an officer decide on a filed application, until when, and what is the applicant told?

Pure; the columns and the queue stand in ``servicekit.reviewing``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Final

from servicekit import working_days
from servicekit.errors import Conflict, Forbidden
from servicekit.workflow import State

CLAIM_LASTS: Final = timedelta(minutes=15)
SHORTEST_DAYS: Final = 1  # working days after a correction, however late it was returned
RED_DAYS: Final = 1  # due today or on the next working day
YELLOW_DAYS: Final = 3  # due within three working days
# What waits for an officer; in every other state the time limit stands still or is over.
WAITING: Final = (State.SUBMITTED, State.ACCEPTED)


class Due(StrEnum):
    """How near the end of the time limit is (到期颜色); only what waits for an officer has one."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Claim:
    """认领: one officer holds an application until a time, and then nobody does."""

    officer_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """One ready text for a decision that sends an application back or ends it.

    ``rests_on`` is what in the matter's service guide it is about; the matter says how.
    """

    code: str
    move: str
    text: str
    rests_on: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the applicant is told, and which fields they should correct (JSON pointers).

    ``code`` is the ready reason's, for the statistics; None for the officer's own words alone.
    """

    reason: str
    fields_to_correct: tuple[str, ...] = ()
    code: str | None = None


class ClaimedByOther(Conflict):
    """AL-10: another officer holds the application for now."""

    code = "claimed-by-other"
    default_message = "该申请正由其他经办人员处理，请稍后再试。"


class NotClaimed(Conflict):
    """An officer gives back what they do not hold."""

    code = "not-claimed"
    default_message = "您没有认领该申请，或认领已到期。"


class SameOfficer(Forbidden):
    """AL-02: two steps that four eyes are asked for need two officers."""

    code = "four-eyes"
    default_message = "该申请须由另一位经办人员复核，初审人员不能办理。"


def check_free(claim: Claim | None, officer_id: str, now: datetime) -> None:
    """Another officer's claim holds until it runs out.

    Raises:
        ClaimedByOther: with the time at which the claim ends by itself.
    """
    if claim is not None and claim.until > now and claim.officer_id != officer_id:
        raise ClaimedByOther(extra={"claimed_until": claim.until.isoformat()})


def check_held(claim: Claim | None, officer_id: str, now: datetime) -> None:
    """Only the holder of a living claim gives it back.

    Raises:
        NotClaimed: another officer holds it, nobody does, or it ran out.
    """
    if claim is None or claim.until <= now or claim.officer_id != officer_id:
        raise NotClaimed


def check_four_eyes(first: str | None, second: str) -> None:
    """Whoever made the first step does not make the second.

    Raises:
        SameOfficer
    """
    if first == second:
        raise SameOfficer


def is_overdue(state: State, due_on: date | None, today: date) -> bool:
    """Has the officers' time run out with the decision still open?"""
    return state in WAITING and due_on is not None and due_on < today


def ready_reasons(package: str) -> tuple[Reason, ...]:
    """The reason library of a matter (常用理由), from the ``reasons.json`` beside its rules.

    Raises:
        ValueError: a code is written twice.
    """
    text = (files(package) / "reasons.json").read_text(encoding="utf-8")
    reasons = tuple(Reason(**each) for each in json.loads(text))
    if len({reason.code for reason in reasons}) < len(reasons):
        raise ValueError(f"{package}: each reason has a code of its own")
    return reasons


@lru_cache(maxsize=8)
def due_ends(today: date) -> tuple[date, date]:
    """The last day that is red, and the last that is yellow; both are working days."""
    red, yellow = (working_days.add_working_days(today, days) for days in (RED_DAYS, YELLOW_DAYS))
    return red, yellow


def due_colour(state: State, due_on: date | None, today: date) -> Due | None:
    """The colour of an application in the queue; None when nothing is waited for."""
    if state not in WAITING or due_on is None:
        return None
    red, yellow = due_ends(today)
    if due_on < today:
        return Due.OVERDUE
    if due_on <= red:
        return Due.RED
    return Due.YELLOW if due_on <= yellow else Due.GREEN


def ready_reason(reasons: Iterable[Reason], told: str | None) -> Reason | None:
    """The ready reason a decision was made with: what the applicant is told begins with it."""
    return next((each for each in reasons if told and told.startswith(each.text)), None)


def reason_text(reasons: Iterable[Reason], code: str | None, words: str | None) -> str:
    """What the applicant is told: the ready text, the officer's own words, or both."""
    return "".join([*(r.text for r in reasons if r.code == code), words or ""])
