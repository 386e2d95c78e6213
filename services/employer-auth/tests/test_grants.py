"""What a bound person may do: granted per business, changed, withdrawn at once (EA-06, EA-13)."""

from __future__ import annotations

from typing import Any

import pytest

JOBS = "recruitment.jobs"
FAIRS = "recruitment.fairs"
MANAGE = "employer-auth.unit"


@pytest.mark.req("EA-06", "F5")
def test_a_business_is_granted_changed_and_withdrawn(desk: Any) -> None:
    desk.offers(JOBS, title="招聘管理")
    unit, lin, binding = desk.bound()
    given = unit.grants(binding, JOBS, "submit", "view")
    assert given["permissions"] == [f"{JOBS}:submit", f"{JOBS}:view"]
    assert given["version"] == binding["version"] + 1
    assert lin.units()[0]["permissions"] == given["permissions"]
    seen = lin.done(lin.get(f"parent-accounts/{binding['id']}/grants"))
    assert seen["permissions"] == given["permissions"]
    changed = unit.grants(binding, JOBS, "view")
    assert changed["permissions"] == [f"{JOBS}:view"]
    assert unit.withdraws(binding, JOBS)["permissions"] == []
    told = [(kind, data["actions"]) for kind, data in desk.events("permission")]
    assert told == [
        ("permission.granted", ["submit", "view"]),
        ("permission.granted", ["view"]),
        ("permission.withdrawn", ["view"]),
    ]
    versions = [data["version"] for _, data in desk.events("binding")]
    assert versions == sorted(set(versions))


@pytest.mark.req("EA-06")
def test_an_action_that_is_said_twice_is_granted_once(desk: Any) -> None:
    desk.offers(JOBS)
    unit, _, binding = desk.bound()
    given = unit.grants(binding, JOBS, "view", "submit", "view")
    assert given["permissions"] == [f"{JOBS}:submit", f"{JOBS}:view"]
    assert [data["actions"] for _, data in desk.events("permission")] == [["submit", "view"]]


@pytest.mark.req("EA-11")
def test_every_grant_there_was_is_shown(desk: Any) -> None:
    desk.offers(JOBS)
    unit, _, binding = desk.bound()
    unit.grants(binding, JOBS, "view")
    unit.grants(binding, JOBS, "submit")
    unit.withdraws(binding, JOBS)
    path = f"sub-accounts/{binding['id']}/grants"
    assert unit.done(unit.get(path))["items"] == []
    shown = unit.done(unit.get(path, ended="true"))["items"]
    assert [(g["actions"], g["ending"]) for g in shown] == [
        (["view"], "changed"),
        (["submit"], "withdrawn"),
    ]
    moves = [entry["move"] for entry in unit.history(binding)]
    assert moves == ["invite", "accept", "grant", "grant", "withdraw"]
    assert "查看" in unit.history(binding)[2]["note"]


@pytest.mark.req("EA-06")
def test_the_catalogue_decides_what_can_be_granted(desk: Any) -> None:
    desk.offers(JOBS, actions=["view", "submit"], person_level=3)
    unit, _, binding = desk.bound()
    refused = unit.refused(unit.tries_to_grant(binding, JOBS, "view"), 409, "grantee-level-too-low")
    assert refused["required_level"] == 3
    unit.refused(unit.tries_to_grant(binding, FAIRS, "view"), 404, "business-not-found")
    desk.offers(JOBS, actions=["view", "submit"])
    wrong = unit.refused(unit.tries_to_grant(binding, JOBS, "sign"), 422, "action-not-offered")
    assert wrong["errors"][0]["message"] == "该业务没有“签署”"
    unit.refused(unit.tries_to_grant(binding, JOBS), 422, "no-action")
    assert unit.tries_to_grant(binding, JOBS, "fly").status_code == 422
    unit.grants(binding, JOBS, "view")
    desk.offers(JOBS, actions=["submit"])  # the service no longer has the action
    assert unit.done(unit.get(f"sub-accounts/{binding['id']}/grants"))["permissions"] == []


TERMS: tuple[tuple[dict[str, str], str | None], ...] = (
    ({"valid_until": "2031-11-20"}, None),
    ({"valid_until": "2031-11-21"}, "bad-validity"),
    ({"valid_until": "2026-11-20"}, "bad-validity"),
    ({"valid_from": "2026-11-20"}, "bad-validity"),
    ({"valid_from": "2026-12-01", "valid_until": "2031-11-30"}, None),
    ({"valid_from": "2026-12-01", "valid_until": "2026-11-30"}, "bad-validity"),
    ({"region": "440305"}, None),
    ({"region": "999999"}, "bad-grant-region"),
)


@pytest.mark.req("EA-13")
def test_a_grant_is_for_five_years_at_most_and_a_place_that_exists(desk: Any) -> None:
    desk.offers(JOBS)
    unit, _, binding = desk.bound()
    for terms, code in TERMS:
        answer = unit.tries_to_grant(binding, JOBS, "view", **terms)
        expected = (code, 422 if code else 200)
        assert (answer.json.get("code"), answer.status_code) == expected, terms


@pytest.mark.req("EA-13")
def test_a_unit_is_managed_as_a_whole(desk: Any) -> None:
    desk.offers(MANAGE, actions=["view", "manage"])
    unit, _, binding = desk.bound()
    answer = unit.tries_to_grant(binding, MANAGE, "manage", region="440106")
    unit.refused(answer, 422, "management-has-no-region")
    unit.grants(binding, MANAGE, "manage")


@pytest.mark.req("EA-13")
def test_a_grant_begins_and_ends_on_its_days(desk: Any) -> None:
    desk.offers(JOBS)
    unit, lin, binding = desk.bound()
    terms = {"valid_from": "2026-11-22", "valid_until": "2026-11-23"}
    given = unit.grants(binding, JOBS, "view", **terms)
    assert (given["permissions"], given["items"][0]["in_force"]) == ([], False)
    desk.clock.advance(hours=14)  # midnight in Guangzhou
    assert lin.units()[0]["permissions"] == [f"{JOBS}:view"]
    desk.works("end-validities")
    begun = unit.shows(binding)["version"]
    assert begun == given["version"] + 1  # a token from before does not hold it
    desk.clock.advance(days=2)
    assert lin.units()[0]["permissions"] == []  # before the job comes round
    desk.works("end-validities")
    desk.works("end-validities")
    assert unit.shows(binding)["version"] == begun + 1
    kind, ended = desk.events("permission")[-1]
    assert (kind, ended["ending"]) == ("permission.withdrawn", "expired")
    assert desk.events("binding")[-1][1]["permissions"] == []


@pytest.mark.req("EA-06")
def test_a_role_grants_what_the_services_offer(desk: Any) -> None:
    roles = {role["code"]: role for role in desk.visitor().get("roles").json}
    assert {role["title"] for role in roles.values()} == {"财务", "人事"}
    unit, _, binding = desk.bound()
    path = f"sub-accounts/{binding['id']}/roles/personnel"
    unit.refused(unit.post(path, {}), 404, "business-not-found")
    desk.offers(JOBS, actions=["view", "submit"])
    desk.offers(FAIRS)
    given = unit.done(unit.post(path, {}))
    assert given["permissions"] == [
        f"{FAIRS}:draft",
        f"{FAIRS}:submit",
        f"{FAIRS}:view",
        f"{FAIRS}:withdraw",
        f"{JOBS}:submit",
        f"{JOBS}:view",
    ]
    assert {g["valid_until"] for g in given["items"]} == {"2027-11-20"}
    assert given["version"] == binding["version"] + 1  # one change, one version
    unit.refused(unit.post(f"sub-accounts/{binding['id']}/roles/boss", {}), 404, "role-not-found")


@pytest.mark.req("EA-06")
def test_nothing_is_granted_before_consent_nor_after_the_end(desk: Any) -> None:
    desk.offers(JOBS)
    unit, lin = desk.unit(), desk.person()
    invited = unit.invites(lin)
    refused = unit.refused(unit.tries_to_grant(invited, JOBS, "view"), 409, "binding-not-active")
    assert "父账号信息" in refused["detail"]
    bound = lin.accepts(invited)
    unit.grants(bound, JOBS, "view")
    unit.tries_to("release", bound)
    unit.refused(unit.tries_to_grant(bound, JOBS, "view"), 409, "binding-not-active")
    again = lin.accepts(unit.invites(lin))
    assert unit.done(unit.get(f"sub-accounts/{again['id']}/grants"))["items"] == []


@pytest.mark.req("EA-06")
def test_the_catalogue_is_open_to_read(desk: Any) -> None:
    desk.offers(JOBS, title="招聘管理", unit_level=5)
    desk.offers(FAIRS, retired=True)
    items = desk.visitor().get("businesses").json["items"]
    assert [(b["code"], b["title"], b["unit_level"]) for b in items] == [
        ("employer-auth.unit", "单位管理", 2),
        (JOBS, "招聘管理", 5),
    ]


def test_grants_are_the_units_own_and_its_managers(desk: Any) -> None:
    desk.offers(JOBS)
    unit, lin, binding = desk.bound()
    other = desk.unit()
    other.refused(other.tries_to_grant(binding, JOBS, "view"), 404, "binding-not-found")
    agent = desk.agent(unit, lin, f"{JOBS}:view")
    agent.refused(agent.tries_to_grant(binding, JOBS, "sign"), 403, "not-granted")
    manager = desk.agent(unit, lin, "employer-auth.unit:manage")
    manager.grants(binding, JOBS, "sign")
    assert desk.person().get(f"parent-accounts/{binding['id']}/grants").status_code == 404
    unit.refused(
        unit.delete(f"sub-accounts/{binding['id']}/grants/{FAIRS}"), 404, "grant-not-found"
    )


@pytest.mark.req("EA-06", "ID-43")
def test_when_a_service_offers_less_older_tokens_end(desk: Any) -> None:
    desk.offers(JOBS)
    desk.offers(FAIRS)
    unit, _, binding = desk.bound()
    other, _, untouched = desk.bound()
    version = unit.grants(binding, JOBS, "view", "sign")["version"]
    other.grants(untouched, FAIRS, "view")
    desk.clock.advance(seconds=1)
    desk.offers(JOBS, title="招聘管理（新）")  # another name takes nothing away
    desk.works("revise-narrowed")
    assert unit.shows(binding)["version"] == version
    desk.offers(JOBS, actions=["view"])
    desk.works("revise-narrowed")
    desk.works("revise-narrowed")
    assert unit.shows(binding)["version"] == version + 1
    assert desk.events("binding")[-1][1]["permissions"] == [f"{JOBS}:view"]
    desk.clock.advance(seconds=1)
    desk.offers(JOBS, actions=["view"], retired=True)
    desk.works("revise-narrowed")
    assert desk.events("binding")[-1][1]["permissions"] == []
    assert other.shows(untouched)["version"] == untouched["version"] + 1


@pytest.mark.req("EA-06", "ID-43")
def test_a_grant_for_level_three_goes_and_comes_with_the_level(desk: Any) -> None:
    desk.offers(JOBS, person_level=3)
    desk.offers(FAIRS)
    unit, lin = desk.unit(), desk.person(level=3)
    binding = lin.accepts(unit.invites(lin))
    unit.grants(binding, FAIRS, "view")
    version = unit.grants(binding, JOBS, "view")["version"]
    fall = {"kind": "person", "scale": "hrss", "level": 2, "before": 3}
    desk.account("level-changed", lin.id, **fall)
    assert unit.shows(binding)["state"] == "active"
    assert desk.events("binding")[-1][1]["permissions"] == [f"{FAIRS}:view"]
    rise = {"kind": "person", "scale": "hrss", "level": 3, "before": 2}
    desk.account("level-changed", lin.id, **rise)
    assert unit.shows(binding)["version"] == version + 2
    assert desk.events("binding")[-1][1]["permissions"] == [f"{FAIRS}:view", f"{JOBS}:view"]


@pytest.mark.req("EA-11")
def test_a_unit_reads_everything_that_happened_to_its_bindings(desk: Any) -> None:
    desk.offers(JOBS)
    unit, lin, binding = desk.bound()
    desk.clock.advance(seconds=1)
    unit.grants(binding, JOBS, "view")
    desk.clock.advance(seconds=1)
    lin.tries_to("leave", binding)
    shown = unit.done(unit.get("binding-history", limit=2))
    assert [(e["move"], e["binding_id"]) for e in shown["items"]] == [
        ("leave", binding["id"]),
        ("grant", binding["id"]),
    ]
    rest = unit.done(unit.get("binding-history", limit=2, cursor=shown["next_cursor"]))
    assert {e["move"] for e in rest["items"]} == {"invite", "accept"}
    assert desk.unit().get("binding-history").json["items"] == []
    assert lin.get("binding-history").status_code == 403
