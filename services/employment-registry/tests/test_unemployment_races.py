"""Forty at once: one registration, one change of the office, and nobody both."""

from __future__ import annotations

from typing import Any

import pytest

from servicekit.testing.racing import at_once

AT_ONCE = 40
REVIEWS = "unemployment-reviews"
BUSINESS = "employment-registry.unemployment"


@pytest.mark.req("UNE-08")
def test_of_forty_changes_of_the_office_one_wins(desk: Any) -> None:
    lin = desk.person()
    desk.unemployed(lin)
    path = "unemployment-records/current/change-service-place"

    def change(place: str) -> Any:
        return lambda: lin.post(path, {"service_place": place})

    ends = at_once(*[change(f"44010500{n % 5 + 1}") for n in range(AT_ONCE)])
    assert ends["done"] == 1
    allowed = {"done", "service-place-changed-recently", "service-place-unchanged"}
    assert set(ends) <= allowed | {"unavailable", "changed-meanwhile"}
    assert desk.rows("unemployment_record")[0].version == 2


@pytest.mark.req("ER-07", "AL-10")
@pytest.mark.parametrize("round_", range(3))
def test_whatever_is_approved_first_nobody_is_both(desk: Any, round_: int) -> None:
    lin = desk.person()
    unemployment, employment = (
        lin.files_unemployment()["id"],
        lin.submits(lin.opens(**desk.form))["id"],
    )
    office = desk.officer("440106", business=BUSINESS)
    other = desk.officer("440106")

    def approve(officer: Any, path: str) -> Any:
        return lambda: officer.post(f"{path}/approve", {})

    first = approve(office, f"{REVIEWS}/{unemployment}")
    second = approve(other, f"flexible-employment-reviews/{employment}")
    at_once(*[first, second] * (AT_ONCE // 2))
    in_force = [
        table
        for table in ("unemployment_record", "flexible_employment_record")
        for row in desk.rows(table)
        if row.is_valid
    ]
    assert in_force == ["flexible_employment_record"]  # employment ends or precedes it
    assert [row.standing for row in desk.rows("person_standing")] == ["employed"]
    assert desk.history_is_whole()
