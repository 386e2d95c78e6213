"""A unit keeps somebody who manages: warned at once, restricted after thirty days, relieved."""

from __future__ import annotations

from typing import Any

import pytest

UNIT = "employer-auth.unit"


def told(desk: Any) -> list[str]:
    return [
        k
        for k, _ in desk.events("unit.")
        if k in {"unit.unmanaged", "unit.restricted", "unit.managed"}
    ]


@pytest.mark.req("EA-01")
def test_a_unit_without_management_is_warned_and_then_restricted(desk: Any) -> None:
    unit, lin, binding = desk.bound()
    desk.works("look-after-management")
    desk.works("look-after-management")
    assert told(desk) == ["unit.unmanaged"]
    desk.clock.advance(days=29, hours=23)
    desk.works("look-after-management")
    assert unit.shows(binding)["state"] == "active"
    desk.clock.advance(hours=1)
    desk.works("look-after-management")
    resting = unit.shows(binding)
    assert [reason["code"] for reason in resting["reasons"]] == ["unit-unmanaged"]
    refused = lin.refused(lin.mandate(binding), 409, "binding-suspended")
    assert "单位管理人员" in refused["detail"]
    unit.grants(binding, UNIT, "manage", valid_until="2028-01-01")  # the unit's own account can
    desk.works("relieve-managed")
    assert unit.shows(binding)["state"] == "active"
    assert lin.units()[0]["permissions"] == [f"{UNIT}:manage"]
    assert told(desk) == ["unit.unmanaged", "unit.restricted", "unit.managed"]


def test_who_manages_in_time_is_not_restricted(desk: Any) -> None:
    unit, _, binding = desk.bound()
    desk.works("look-after-management")
    unit.grants(binding, UNIT, "manage")
    desk.works("relieve-managed")
    desk.clock.advance(days=40)
    desk.works("look-after-management")
    assert told(desk) == ["unit.unmanaged", "unit.managed"]
    assert unit.shows(binding)["state"] == "active"


@pytest.mark.parametrize("how", ["withdrawn", "locked", "released", "expired"])
def test_a_manager_can_be_lost_in_many_ways(desk: Any, how: str) -> None:
    unit, lin, binding = desk.bound()
    wang = desk.person()
    wang.accepts(unit.invites(wang))
    unit.grants(binding, UNIT, "manage", valid_until="2026-11-22")
    desk.works("look-after-management")
    assert told(desk) == []
    if how == "withdrawn":
        unit.withdraws(binding, UNIT)
    elif how == "locked":
        desk.account("locked", lin.id)
    elif how == "released":
        unit.tries_to("release", binding)
    else:
        desk.clock.advance(days=2)
    desk.works("look-after-management")
    assert told(desk) == ["unit.unmanaged"]


def test_a_unit_without_agents_needs_nobody(desk: Any) -> None:
    unit = desk.unit()
    unit.invites(desk.person())
    desk.works("look-after-management")
    assert told(desk) == []
    other, _, binding = desk.bound()
    desk.works("look-after-management")
    other.tries_to("release", binding)
    desk.works("look-after-management")
    assert told(desk) == ["unit.unmanaged", "unit.managed"]
