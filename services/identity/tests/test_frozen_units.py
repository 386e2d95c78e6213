"""A unit is frozen (EA-12): out at once, back in to read, and nothing is done before an officer."""

import pytest

FROZEN = "单位账号已冻结，请联系当地人社部门核实；解除冻结后方可办理。"


def hears(world, unit, fact, sequence):
    data = {"unit_id": unit.id, "objection_id": "objection-1", "cause": "recovered"}
    kind = f"employer-auth.unit.{fact}.v1"
    world.hears(kind, data, subject=unit.id, sequence=sequence)


@pytest.fixture
def unit(world):
    return world.proves(world.registers_unit(), level=4)


@pytest.fixture
def frozen(world, unit):
    hears(world, unit, "frozen", 1)
    return unit


@pytest.mark.req("EA-12", "ID-43")
def test_whoever_is_in_is_out_at_once_and_everywhere(world, unit):
    browser = world.browser().signs_in(unit)
    tokens = browser.tokens()
    hears(world, unit, "frozen", 1)
    assert browser.api("GET", "/unit", token=tokens["access_token"]).status_code == 401
    assert browser.refreshes(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert browser.authorize().location.startswith("/identity/login")
    ended = [data for kind, data in world.events() if kind == "identity.session.ended.v1"]
    assert [data["account_id"] for data in ended] == [unit.id]


CHANGES = [
    ("PATCH", "/unit", {"region": "440305"}),
    ("POST", "/unit/name-changes", {"name": "广州夺走有限公司"}),
    ("PATCH", "/me", {"email": None}),
    ("PUT", "/me/password", {"current_password": "Gd2024rsT", "password": "Hb2026rsW"}),
    ("POST", "/me/cancellation", {"current_password": "Gd2024rsT"}),
    ("POST", "/me/parked-requests", {"page": "/jobs", "content": "x"}),
]


@pytest.mark.req("EA-12")
def test_its_own_account_reads_and_changes_nothing(world, frozen):
    token = world.token_of(frozen)
    assert world.app.verifier.verify(token).is_frozen
    for path in ("/unit", "/me", "/me/messages", "/me/logins", "/me/channels"):
        assert world.browser().api("GET", path, token=token).status_code == 200, path
    for method, path, body in CHANGES:
        answer = world.browser().api(method, path, body, token=token)
        assert (answer.status_code, answer.json["code"]) == (403, "unit-frozen"), path
        assert answer.json["detail"] == FROZEN
    for method, path in (("POST", "/me/messages/read-all"), ("DELETE", "/me/sessions")):
        assert world.browser().api(method, path, token=token).status_code < 300, path
    person = world.token_of(frozen.agent)
    assert not world.app.verifier.verify(person).is_frozen


@pytest.mark.req("EA-12")
def test_its_pages_show_and_change_nothing(world, frozen):
    browser = world.browser().signs_in(frozen)
    for path in ("", "security", "security/password", "unit", "raise", "security/cancellation"):
        assert browser.get(f"/identity/{path}").status_code == 200, path
    assert FROZEN in browser.get("/identity/").text
    forms = {
        "security/password": {"current_password": frozen.password},
        "security/cancellation": {"current_password": frozen.password},
        "unit": {"name": "广州夺走有限公司"},
        "raise/legal-person-base": {},
    }
    for path, typed in forms.items():
        refused = browser.fills(f"/identity/{path}", **typed)
        assert (refused.status_code, FROZEN in refused.text) == (403, True), path
    # A channel is begun and finished by looking; it raises nobody either.
    begun = browser.get("/identity/raise/channel/net-bank-certificate")
    assert (begun.status_code, FROZEN in begun.text) == (403, True)
    assert browser.fills("/identity/logout").status_code == 200


@pytest.mark.req("EA-12", "ID-17")
def test_an_account_under_objection_does_not_vanish(world, unit):
    token = world.token_of(unit)
    asked = {"current_password": unit.password}
    assert world.browser().api("POST", "/me/cancellation", asked, token=token).status_code == 201
    hears(world, unit, "frozen", 1)
    world.clock.advance(days=8)
    world.job("carry-out-cancellations")
    assert world.browser().signs_in(unit)
    assert not [kind for kind, _ in world.events() if kind.endswith("cancelled.v1")]


@pytest.mark.req("EA-12", "ID-14")
def test_lifted_it_works_again_and_the_next_token_says_so(world, frozen):
    browser = world.browser().signs_in(frozen)
    refresh = browser.tokens()["refresh_token"]
    hears(world, frozen, "unfrozen", 2)
    token = browser.refreshes(refresh).json["access_token"]
    assert not world.app.verifier.verify(token).is_frozen
    moved = browser.api(
        "PATCH", "/unit", {"region": "440305"}, token=token, headers={"If-Match": "*"}
    )
    assert moved.status_code == 200, moved.text
    assert browser.api("POST", "/me/cancellation", {"current_password": frozen.password},
                       token=token).status_code == 201  # fmt: skip
