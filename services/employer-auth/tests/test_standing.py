"""A binding rests while its person or unit may not act, and works again by itself (EA, 3.6)."""

from __future__ import annotations

from typing import Any

import pytest

JOBS = "recruitment.jobs"


def lock(desk: Any, who: Any) -> None:
    desk.account("locked", who.id)


def unlock(desk: Any, who: Any) -> None:
    desk.account("unlocked", who.id)


def fall(desk: Any, who: Any) -> None:
    told = {"kind": "person", "scale": "hrss", "level": 1, "before": 2}
    desk.account("level-changed", who.id, **told)


def rise(desk: Any, who: Any) -> None:
    told = {"kind": "person", "scale": "hrss", "level": 2, "before": 1}
    desk.account("level-changed", who.id, **told)


@pytest.mark.req("EA-06", "ID-43")
@pytest.mark.parametrize(
    ("goes", "comes", "side", "reason"),
    [
        (fall, rise, "person", "person-level"),
        (lock, unlock, "person", "person-locked"),
        (lock, unlock, "unit", "unit-locked"),
    ],
)
def test_a_binding_rests_and_works_again(
    desk: Any, goes: Any, comes: Any, side: str, reason: str
) -> None:
    desk.offers(JOBS)
    unit, lin, binding = desk.bound()
    unit.grants(binding, JOBS, "view")
    who = {"person": lin, "unit": unit}[side]
    goes(desk, who)
    resting = unit.shows(binding)
    assert (resting["state"], [r["code"] for r in resting["reasons"]]) == ("suspended", [reason])
    assert lin.units() == []
    refused = lin.refused(lin.mandate(binding), 409, "binding-suspended")
    assert "自动恢复" in refused["detail"]
    assert desk.events("binding")[-1][1]["permissions"] == []
    comes(desk, who)
    assert lin.units()[0]["permissions"] == [f"{JOBS}:view"]
    told = [kind for kind, _ in desk.events("sub-account")]
    assert told[-2:] == ["sub-account.suspended", "sub-account.resumed"]
    versions = [data["version"] for _, data in desk.events("binding")]
    assert versions == sorted(set(versions))


def test_it_rests_as_long_as_there_is_a_reason(desk: Any) -> None:
    unit, lin, binding = desk.bound()
    fall(desk, lin)
    lock(desk, unit)
    assert len(unit.shows(binding)["reasons"]) == 2
    rise(desk, lin)
    assert [r["code"] for r in unit.shows(binding)["reasons"]] == ["unit-locked"]
    unlock(desk, unit)
    assert unit.shows(binding)["state"] == "active"


@pytest.mark.req("EA-12")
def test_a_frozen_unit_gives_nobody_anything_new_and_may_take_back(desk: Any) -> None:
    """Who hijacked a unit's account must not prepare for the day it is lifted."""
    desk.offers(JOBS)
    unit, _, binding = desk.bound()
    unit.grants(binding, JOBS, "view")
    desk.run("UPDATE unit SET frozen_at = now()")
    granted = unit.tries_to_grant(binding, JOBS, "view", "submit")
    unit.refused(granted, 409, "unit-frozen")
    unit.refused(unit.asks_for(desk.person()), 409, "unit-frozen")
    agency = desk.unit(uscc="91350100M000100Y43")
    wish = {"business": JOBS, "actions": ["view"], "valid_until": "2027-11-20"}
    offer = {"agency_uscc": "91350100M000100Y43", "businesses": [wish]}
    unit.refused(unit.post("entrustments", offer), 409, "unit-frozen")
    assert agency.done(agency.get("received-entrustments"))["items"] == []
    assert unit.withdraws(binding, JOBS)["permissions"] == []


@pytest.mark.req("EA-05")
def test_a_resting_binding_can_be_ended_and_granted(desk: Any) -> None:
    unit, lin, binding = desk.bound()
    lock(desk, lin)
    unit.grants(binding, "employer-auth.unit", "view")
    assert desk.events("binding")[-1][1]["permissions"] == []
    assert unit.tries_to("release", binding).json["state"] == "released"
    unlock(desk, lin)
    assert unit.shows(binding)["state"] == "released"


@pytest.mark.parametrize("side", ["person", "unit"])
def test_with_a_cancelled_account_every_binding_ends(desk: Any, side: str) -> None:
    unit, lin, binding = desk.bound()
    wang = desk.person()
    invited = unit.invites(wang)
    desk.account("cancelled", {"person": lin, "unit": unit}[side].id, kind=side)
    ended = desk.rows("SELECT id, ended_by FROM binding WHERE state = 'released'")
    assert {row.id for row in ended} == (
        {binding["id"], invited["id"]} if side == "unit" else {binding["id"]}
    )
    assert {row.ended_by for row in ended} == {"system"}


@pytest.mark.req("EA-03")
def test_nobody_agrees_to_act_for_a_locked_unit(desk: Any) -> None:
    unit, lin = desk.unit(), desk.person()
    invited = unit.invites(lin)
    lock(desk, unit)
    lin.refused(lin.tries_to("accept", invited), 409, "binding-suspended")
    unlock(desk, unit)
    assert lin.accepts(invited)["state"] == "active"


def test_words_of_accounts_in_any_order_lead_to_the_same(desk: Any) -> None:
    """The unit's level came before its registration: other matters, other order."""
    from servicekit.db import new_id

    account = new_id()
    told = {"kind": "unit", "scale": "prov", "level": 4, "before": 3}
    desk.account("level-changed", account, **told)
    desk.hears(
        "identity.unit.registered.v1",
        account,
        unit_id=account,
        person_id=new_id(),
        certificate_type="uscc",
        certificate_number="914403001922038216",
        name="广州示例科技有限公司",
        region="440106",
        level=3,
    )
    assert desk.rows("SELECT kind, level FROM account") == [("unit", 4)]
    desk.hears(
        "identity.unit.changed.v1",
        account,
        unit_id=account,
        name="广州新名有限公司",
        region="440305",
    )
    assert desk.rows("SELECT name, region FROM unit") == [("广州新名有限公司", "440305")]
