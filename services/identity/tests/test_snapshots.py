"""What a service that comes late reads: accounts and units, each up to its newest event."""

import pytest

from identity.sign_in import clients

SECRET = "an-employer-auth-secret-for-tests"


def service(world, scope="snapshots"):
    form = {"grant_type": "client_credentials", "scope": scope}
    client = {"client_id": clients.EMPLOYER_AUTH, "secret": SECRET}
    return world.browser().token(**client, **form).json["access_token"]


def listed(world, what, **query):
    """All parts one after the other, by subject."""
    token, found, after = service(world), {}, ""
    while after is not None:
        asked = "&".join(f"{name}={value}" for name, value in {**query, "after": after}.items())
        part = world.browser().api("GET", f"/snapshots/{what}?{asked}", token=token).json
        found |= {item["subject"]: item for item in part["items"]}
        after = part["next"]
    return found


@pytest.mark.req("EA-10")
def test_states_and_numbers_are_those_the_events_amount_to(world):
    agent = world.proves(world.registers())
    unit = world.registers_unit(agent)
    locked = world.registers()
    admin = world.token_of(world.officer("admin", region="44"))
    path = f"/accounts/{locked.id}/lock"
    world.browser().api("POST", path, {"reason": "本人申报账号被盗"}, token=admin)
    found = listed(world, "accounts", limit=2)
    told = {}
    for kind, data in world.events():
        if kind.startswith("identity.account."):
            told[data["account_id"]] = told.get(data["account_id"], 0) + 1
    assert {
        subject: item["sequence"] for subject, item in found.items() if item["sequence"]
    } == told
    state = {"account_id": agent.id, "kind": "person", "level": 2, "standing": "active"}
    assert found[agent.id]["state"] == state
    assert found[locked.id]["state"]["standing"] == "locked"
    assert found[unit.id]["state"]["kind"] == "unit"
    units = listed(world, "units")
    assert list(units) == [unit.id]
    assert units[unit.id]["sequence"] == 1
    announced = [data for kind, data in world.events() if kind == "identity.unit.registered.v1"]
    assert units[unit.id]["state"] == {k: v for k, v in announced[0].items() if k != "person_id"}


@pytest.mark.req("EA-10")
@pytest.mark.parametrize("what", ["accounts", "units"])
def test_only_a_service_that_was_given_the_scope_reads_them(world, what):
    person = world.token_of(world.registers())
    browser, path = world.browser(), f"/snapshots/{what}"
    assert browser.api("GET", path).status_code == 401
    assert browser.api("GET", path, token=person).status_code == 403
    assert browser.api("GET", path, token=service(world, "notices")).json["code"] == "scope-missing"
    assert browser.api("GET", f"{path}?limit=101", token=service(world)).status_code == 422
