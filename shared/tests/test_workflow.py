"""A workflow is a table: what it does not say cannot be done."""

from contextlib import suppress

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from servicekit.testing.workflows import UNKNOWN_MOVE, allowed, check_calls, sequences
from servicekit.workflow import Role, State, Workflow, WrongRole, WrongState, move

TABLE = Workflow(
    "kit.paper",
    State.DRAFT,
    move("save", (State.DRAFT, State.RETURNED), State.DRAFT, Role.APPLICANT),
    move("submit", (State.DRAFT, State.RETURNED), State.SUBMITTED, Role.APPLICANT),
    move("approve", State.SUBMITTED, State.APPROVED, Role.REVIEWER),
    move("return", State.SUBMITTED, State.RETURNED, Role.REVIEWER),
    move("cancel", State.APPROVED, State.CANCELLED, Role.APPLICANT),
    move("cancel", State.APPROVED, State.CANCELLED, Role.SYSTEM),
)


class Clerk:
    """Moves one application as the table says; may be told to forget the table."""

    def __init__(self, forgets: bool = False) -> None:
        self.state = TABLE.start
        self.forgets = forgets

    def make(self, name: str, role: Role) -> None:
        if self.forgets and name == "approve":
            self.state = State.APPROVED
        else:
            self.state = TABLE.next_state(name, self.state, role)


@given(calls=sequences(TABLE))
def test_no_sequence_of_calls_leaves_the_table(calls):
    clerk = Clerk()
    check_calls(TABLE, calls, make=clerk.make, state=lambda: clerk.state)


def test_the_check_notices_a_clerk_who_forgets_the_table():
    clerk = Clerk(forgets=True)
    with pytest.raises(AssertionError, match="let through"):
        check_calls(TABLE, [("approve", Role.REVIEWER)], make=clerk.make, state=lambda: clerk.state)


def test_sequences_go_deep_enough_to_reach_the_last_state():
    def ends_cancelled(calls):
        clerk = Clerk()
        for name, role in calls:
            with suppress(WrongState, WrongRole):
                clerk.make(name, role)
        return clerk.state is State.CANCELLED

    assert find(sequences(TABLE), ends_cancelled)


@given(st.sampled_from(list(State)), st.sampled_from(list(Role)))
def test_open_moves_are_exactly_those_that_can_be_made(state, role):
    names = {m.name for m in TABLE.moves} | {UNKNOWN_MOVE}
    possible = set()
    for name in names:
        try:
            TABLE.next_state(name, state, role)
        except (WrongState, WrongRole):
            continue
        possible.add(name)
    assert set(TABLE.open_moves(state, role)) == possible


def test_a_wrong_state_says_which_in_chinese():
    with pytest.raises(WrongState) as refused:
        TABLE.next_state("approve", State.DRAFT, Role.REVIEWER)
    assert "暂存" in refused.value.message
    assert refused.value.extra == {"state": "draft", "move": "approve"}


def test_a_wrong_role_is_told_from_a_wrong_state():
    with pytest.raises(WrongRole):
        TABLE.next_state("approve", State.SUBMITTED, Role.APPLICANT)


def test_one_move_may_belong_to_two_roles():
    assert TABLE.next_state("cancel", State.APPROVED, Role.SYSTEM) is State.CANCELLED
    assert ("approved", "cancel", "applicant") in allowed(TABLE)


def test_every_state_has_a_word_for_people():
    assert all(state.label for state in State)


def test_a_table_with_an_island_is_refused():
    with pytest.raises(ValueError, match="no move leads to"):
        Workflow(
            "kit.x", State.DRAFT, move("reject", State.ACCEPTED, State.REJECTED, Role.REVIEWER)
        )


def test_a_row_written_twice_is_refused():
    row = move("submit", State.DRAFT, State.SUBMITTED, Role.APPLICANT)
    with pytest.raises(ValueError, match="written twice"):
        Workflow("kit.x", State.DRAFT, row, row)


def test_the_diagram_has_a_line_per_step():
    diagram = TABLE.as_mermaid()
    assert diagram.startswith("stateDiagram-v2\n    [*] --> draft")
    assert "submitted --> approved: approve (reviewer)" in diagram
