"""Any sequence of calls against a workflow: nothing reaches a state the table forbids.

A service uses it for its own table, through ``advance`` or through HTTP::

    @given(calls=sequences(rules.WORKFLOW))
    def test_nobody_leaves_the_table(calls): check_calls(rules.WORKFLOW, calls, make=…, state=…)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeVar

from hypothesis import strategies as st

from servicekit.errors import Refusal
from servicekit.workflow import Role, Workflow

S = TypeVar("S", bound=StrEnum)
Call = tuple[str, Role]

UNKNOWN_MOVE = "no-such-move"


@st.composite
def sequences(draw: st.DrawFn, workflow: Workflow[S], max_size: int = 20) -> list[Call]:
    """Calls in any order by anybody; about half of them are allowed, so that walks go deep."""
    names = sorted({m.name for m in workflow.moves} | {UNKNOWN_MOVE})
    anything = st.tuples(st.sampled_from(names), st.sampled_from(list(Role)))
    calls: list[Call] = []
    state = workflow.start
    for _ in range(draw(st.integers(0, max_size))):
        open_now = [m for m in workflow.moves if state in m.sources]
        call, stays_inside = draw(anything), draw(st.booleans())
        if open_now and stays_inside:
            call = draw(st.sampled_from([(m.name, m.by) for m in open_now]))
        state = targets.pop() if (targets := _targets(workflow, state, call)) else state
        calls.append(call)
    return calls


def check_calls(
    workflow: Workflow[S],
    calls: Sequence[Call],
    *,
    make: Callable[[str, Role], object],
    state: Callable[[], S],
) -> None:
    """Make the calls and compare each outcome with the rows of the table.

    Args:
        make: makes one move as one role; raises a ``Refusal`` when it is refused.
        state: reads the state the application is in now.
    """
    expected = workflow.start
    assert state() == expected
    for call in calls:
        targets = _targets(workflow, expected, call)
        refusal = _outcome(make, call)
        if targets:
            assert refusal is None, f"{call} from {expected} was refused: {refusal}"
            expected = targets[0]
        else:
            assert refusal is not None, f"{call} from {expected} was let through"
        assert state() == expected, f"after {call}"


def allowed(workflow: Workflow[S]) -> set[tuple[str, str, str]]:
    """Every (state, move, role) of the table, to compare with the manual's own list."""
    return {(str(s), m.name, m.by.value) for m in workflow.moves for s in m.sources}


def _outcome(make: Callable[[str, Role], object], call: Call) -> str | None:
    try:
        make(*call)
    except Refusal as refusal:
        return refusal.code
    return None


def _targets(workflow: Workflow[S], state: S, call: Call) -> list[S]:
    name, role = call
    return [
        m.target for m in workflow.moves if m.name == name and state in m.sources and m.by is role
    ]
