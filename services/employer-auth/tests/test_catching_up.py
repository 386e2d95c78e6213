"""Units and persons that identity knew before anybody here listened, and what was missed."""

from __future__ import annotations

from typing import Any

import pytest

from employer_auth.handlers import SUBSCRIPTIONS
from servicekit.db import new_id

JOBS = "recruitment.jobs"


def begins_to_listen(desk: Any) -> None:
    with desk.app.database.transaction() as db:
        SUBSCRIPTIONS.begin(db, desk.clock.now())


def knows(desk: Any, person: Any, *, level: int = 2, standing: str = "active", n: int = 2) -> None:
    """identity has told ``n`` events of the account, and nobody was there."""
    state = {"account_id": person.id, "kind": "person", "level": level, "standing": standing}
    desk.identity.snapshots["accounts"][person.id] = (n, state)
    desk._told["identity", "account", "fact", person.id] = n


def knows_unit(desk: Any, *, level: int = 5) -> Any:
    unit = desk.unit_of(new_id(), level=level)
    account = {"account_id": unit.id, "kind": "unit", "level": level, "standing": "active"}
    desk.identity.snapshots["accounts"][unit.id] = (3, account)
    state = {
        "unit_id": unit.id,
        "certificate_type": "uscc",
        "certificate_number": "914403001922038216",
        "name": "广州示例科技有限公司",
        "region": "440106",
        "level": level,
    }
    desk.identity.snapshots["units"][unit.id] = (1, state)
    desk._told["identity", "account", "fact", unit.id] = 3
    desk._told["identity", "unit", "fact", unit.id] = 1
    return unit


@pytest.mark.req("EA-02", "EA-06", "EA-10", "EA-12")
def test_a_unit_from_before_binds_grants_and_is_corrected_like_any_other(desk: Any) -> None:
    desk.offers(JOBS)
    unit, lin = knows_unit(desk), desk.person(known=False)
    knows(desk, lin)
    unit.refused(unit.asks_for(lin), 409, "unit-not-known-yet")
    desk.works("catch-up")  # the queue is not bound yet: what came meanwhile would be lost
    unit.refused(unit.asks_for(lin), 409, "unit-not-known-yet")
    begins_to_listen(desk)
    desk.works("catch-up")
    binding = lin.accepts(unit.invites(lin))
    unit.grants(binding, JOBS, "view", "submit")
    assert lin.done(lin.mandate(binding), 201)["mandate"]
    profile = unit.done(unit.get("unit-profile"))
    assert len(profile["management_code"]) == 12
    asked = desk.rows("SELECT cause FROM objection_code")
    assert [row.cause for row in asked] == ["first-binding"], "the registration is no news"
    desk.hears(  # the next event finds its predecessor done
        "identity.unit.changed.v1",
        unit.id,
        unit_id=unit.id,
        name="广州改名有限公司",
        region="440106",
    )
    assert unit.done(unit.get("unit-profile"))["values"]["name"] == "广州改名有限公司"


@pytest.mark.req("EA-05", "EA-06")
@pytest.mark.parametrize(
    ("missed", "state"),
    [
        ({"standing": "locked"}, "suspended"),
        ({"level": 1}, "suspended"),
        ({"standing": "cancelled"}, "released"),
        ({}, "active"),
    ],
)
def test_what_was_missed_takes_effect_on_bindings_that_exist(
    desk: Any, missed: dict[str, Any], state: str
) -> None:
    unit, lin, binding = desk.bound()
    knows(desk, lin, n=7, **missed)
    begins_to_listen(desk)
    desk.works("catch-up")
    assert unit.shows(binding)["state"] == state
    desk.works("catch-up")
    assert desk.identity.snapshots_asked == 2, "accounts once and units once"


@pytest.mark.req("EA-10")
def test_while_identity_is_away_nothing_is_lost(desk: Any) -> None:
    unit, lin = knows_unit(desk), desk.person(known=False)
    begins_to_listen(desk)
    desk.identity.down = True
    desk.works("catch-up")
    unit.refused(unit.asks_for(lin), 409, "unit-not-known-yet")
    desk.identity.down = False
    desk.works("catch-up")
    assert unit.invites(lin)["state"] == "invited"
