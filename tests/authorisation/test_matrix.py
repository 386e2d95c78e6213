"""Every operation × everybody × own, another's and missing things, against the committed table.

The table is `rows/<service>.csv`: a line per operation, a column per caller. `401`, `403` and
`404` are refusals; `ok` means the caller got through to the rules, whatever these say. An
operation without a line fails the build and prints the line it behaves like: put it into the
table after you have found it right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from servicekit import launch

pytestmark = pytest.mark.xdist_group("authorisation")  # long, and each service started once

SERVICES = sorted(launch.services())


@pytest.mark.slow
@pytest.mark.timeout(300)  # some thousand requests
@pytest.mark.req("EA-06", "AL-02", "AL-05")
@pytest.mark.parametrize("service", SERVICES)
def test_everybody_gets_what_the_table_says(
    service: str, desk_of: Callable[[str], Any], matrix: Any
) -> None:
    desk = desk_of(service)
    table, wrong, leaks = matrix.rows_of(service), [], []
    operations = desk.operations
    for operation in operations:
        row, seen = matrix.observe(desk, operation)
        known = table.get(operation.name)
        if known is None or (known.cells, known.missing) != (row.cells, row.missing):
            wrong.append(matrix.written(operation.name, row))
        if seen and not (known and known.shared):
            leaks.append(f"{operation.name}: {', '.join(seen)}")
    assert not wrong, "not as in the table:\n" + "\n".join(wrong)
    assert not leaks, "ids of others were shown:\n" + "\n".join(leaks)
    assert table.keys() == {operation.name for operation in operations}, "lines of nothing"


@pytest.mark.req("A5", "EA-01")
def test_persons_and_units_do_their_own_business_and_units_by_a_delegate(
    desk_of: Callable[[str], Any], matrix: Any
) -> None:
    for_persons, for_units = [], []
    for service in SERVICES:
        table = matrix.rows_of(service)
        for operation in desk_of(service).operations:
            mark, cells = operation.mark, table[operation.name].cells
            if mark.kinds == {"person"}:
                for_persons.append((operation.name, cells["unit"]))
            elif mark.grants is not None and not mark.unit_account:
                for_units.append((operation.name, cells["unit"], cells["person"]))
    assert len(for_persons) > 10
    assert {cell for _, cell in for_persons} == {"403"}, for_persons
    assert {cell for _, *cells in for_units for cell in cells} <= {"403"}, for_units


@pytest.mark.parametrize("service", SERVICES)
def test_the_table_itself_is_sound(
    service: str, desk_of: Callable[[str], Any], matrix: Any
) -> None:
    marks = {o.name: o.mark for o in desk_of(service).operations}
    public = {name for name, mark in marks.items() if mark.is_public}
    for_any_agent = public | {name for name, mark in marks.items() if mark.acting}
    for operation, row in matrix.rows_of(service).items():
        visitor = row.cells["visitor"]
        assert (visitor != "401") == (operation in public), operation
        if "{" in operation and not row.shared:
            let_in = [caller for caller in matrix.STRANGERS if row.cells[caller] == "ok"]
            assert not let_in, f"{operation}: {let_in} reach what is not theirs"
            assert row.missing in ("404", "-"), operation
        assert row.cells["agent_without_grant"] != "ok" or operation in for_any_agent, operation
        assert row.cells["other_system"] != "ok" or operation in public, operation
