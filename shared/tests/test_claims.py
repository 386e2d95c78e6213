"""Who may decide on a filed application, and when its time is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from servicekit.claims import (
    Claim,
    ClaimedByOther,
    Due,
    NotClaimed,
    Reason,
    SameOfficer,
    check_four_eyes,
    check_free,
    check_held,
    due_colour,
    is_overdue,
    reason_text,
)
from servicekit.workflow import State

NOW = datetime(2026, 9, 29, 2, tzinfo=UTC)
READY = Reason("unclear", "return", "请写明详细地址。")


@pytest.mark.req("AL-10")
@pytest.mark.parametrize(
    ("claim", "free"),
    [
        (None, True),
        (Claim("me", NOW + timedelta(minutes=1)), True),
        (Claim("other", NOW + timedelta(seconds=1)), False),
        (Claim("other", NOW), True),
    ],
)
def test_a_living_claim_keeps_others_out(claim: Claim | None, free: bool) -> None:
    if free:
        check_free(claim, "me", NOW)
        return
    with pytest.raises(ClaimedByOther) as refused:
        check_free(claim, "me", NOW)
    assert "claimed_until" in refused.value.extra


@pytest.mark.req("AL-10")
@pytest.mark.parametrize(
    "claim", [None, Claim("other", NOW + timedelta(hours=1)), Claim("me", NOW)]
)
def test_only_a_living_claim_of_ones_own_is_given_back(claim: Claim | None) -> None:
    with pytest.raises(NotClaimed):
        check_held(claim, "me", NOW)
    check_held(Claim("me", NOW + timedelta(seconds=1)), "me", NOW)


def test_the_reason_is_the_ready_text_and_the_officers_words() -> None:
    assert reason_text([READY], READY.code, None) == READY.text
    assert reason_text([READY], None, "请补充") == "请补充"
    assert reason_text([READY], READY.code, "请补充") == f"{READY.text}请补充"


@pytest.mark.req("AL-02")
def test_four_eyes_are_two_officers() -> None:
    check_four_eyes(None, "me")
    check_four_eyes("another", "me")
    with pytest.raises(SameOfficer):
        check_four_eyes("me", "me")


@pytest.mark.parametrize(
    ("state", "due", "over"),
    [
        (State.SUBMITTED, date(2026, 9, 28), True),
        (State.ACCEPTED, date(2026, 9, 28), True),
        (State.SUBMITTED, date(2026, 9, 29), False),
        (State.SUBMITTED, None, False),
        (State.RETURNED, date(2026, 9, 28), False),
        (State.APPROVED, date(2026, 9, 28), False),
    ],
)
def test_only_what_waits_for_an_officer_is_overdue(
    state: State, due: date | None, over: bool
) -> None:
    assert is_overdue(state, due, date(2026, 9, 29)) is over


@pytest.mark.req("AL-09")
@pytest.mark.parametrize(
    ("due", "colour"),
    [
        (date(2026, 9, 28), Due.OVERDUE),
        (date(2026, 9, 29), Due.RED),
        (date(2026, 9, 30), Due.RED),
        (date(2026, 10, 8), Due.YELLOW),  # 1 to 7 October are holidays
        (date(2026, 10, 9), Due.YELLOW),
        (date(2026, 10, 10), Due.GREEN),  # a working Saturday
        (None, None),
    ],
)
def test_the_colour_counts_working_days(due: date | None, colour: Due | None) -> None:
    assert due_colour(State.SUBMITTED, due, date(2026, 9, 29)) is colour
    assert due_colour(State.RETURNED, due, date(2026, 9, 29)) is None
