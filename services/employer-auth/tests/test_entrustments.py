"""Unit → agency → person: a chain of two links, and ending either ends it (EA-13)."""

from __future__ import annotations

from typing import Any

import pytest

JOBS = "recruitment.jobs"
FAIRS = "recruitment.fairs"
AGENCY_USCC = "91350100M000100Y43"
TERMS = {"valid_until": "2027-11-20"}


class Chain:
    """A client, an agency with an agent of its own, and the entrustment between them."""

    def __init__(self, desk: Any, *, accepted: bool = True) -> None:
        self.desk = desk
        for code in (JOBS, FAIRS):
            desk.offers(code)
        self.client = desk.unit()
        self.agency = desk.unit(name="广东示例人力资源有限公司", uscc=AGENCY_USCC)
        self.wang = desk.person()
        self.own = self.wang.accepts(self.agency.invites(self.wang))
        offered = self.client.post("entrustments", self.offer(JOBS))
        self.entrustment = self.client.done(offered, 201)
        if accepted:
            self.answers("accept")

    def offer(self, *businesses: str, **terms: Any) -> dict[str, Any]:
        wish = {"actions": ["view", "submit"]} | TERMS | terms
        each = [wish | {"business": business} for business in businesses]
        return {"agency_uscc": AGENCY_USCC, "businesses": each}

    def answers(self, name: str) -> Any:
        path = f"received-entrustments/{self.entrustment['id']}/{name}"
        return self.agency.done(self.agency.post(path, {}))

    def tries_to_assign(self, business: str = JOBS, **wish: Any) -> Any:
        one = {"business": business, "actions": ["submit"]} | TERMS | wish
        body = {"binding_id": self.own["id"], "businesses": [one]}
        return self.agency.post(f"received-entrustments/{self.entrustment['id']}/agents", body)

    def assigns(self, **wish: Any) -> Any:
        return self.agency.done(self.tries_to_assign(**wish), 201)

    def shows(self) -> Any:
        return self.client.done(self.client.get(f"entrustments/{self.entrustment['id']}"))

    def agents(self) -> Any:
        path = f"entrustments/{self.entrustment['id']}/agents"
        return self.client.done(self.client.get(path))["items"]


@pytest.fixture
def chain(desk: Any) -> Chain:
    return Chain(desk)


@pytest.mark.req("EA-13")
def test_an_agencys_own_agent_acts_for_the_client(desk: Any, chain: Chain) -> None:
    link = chain.assigns()
    assert link["via"] == {"unit_id": chain.agency.id, "name": "广东示例人力资源有限公司"}
    units = {unit["unit_id"]: unit for unit in chain.wang.units()}
    assert set(units) == {chain.client.id, chain.agency.id}
    acting = units[chain.client.id]
    assert acting["via"] == link["via"]
    assert acting["permissions"] == [f"{JOBS}:submit"]
    mandate = chain.wang.done(chain.wang.mandate(link), 201)["mandate"]
    claims = desk.claims(mandate)
    assert (claims["sub"], claims["via"]) == (chain.client.id, chain.agency.id)
    assert claims["may_act"] == {"sub": chain.wang.id}
    (agent,) = chain.agents()
    assert (agent["id"], agent["person_name"]) == (link["id"], "林**")
    assert chain.client.agents() == []  # 子账号信息 holds the unit's own people
    revised = [data for _, data in desk.events("binding") if data["binding_id"] == link["id"]]
    assert revised[-1]["via"] == chain.agency.id
    assert desk.history_is_whole()


@pytest.mark.req("EA-13")
@pytest.mark.parametrize("side", ["client", "agency"])
def test_ending_the_first_link_ends_it(chain: Chain, side: str) -> None:
    link = chain.assigns()
    who = getattr(chain, side)
    who.done(who.post(f"entrustments/{chain.entrustment['id']}/end", {}))
    assert chain.shows()["state"] == "ended"
    assert [unit["unit_id"] for unit in chain.wang.units()] == [chain.agency.id]
    chain.wang.refused(chain.wang.mandate(link), 409, "binding-not-active")
    chain.agency.refused(chain.tries_to_assign(), 409, "entrustment-not-active")


@pytest.mark.req("EA-13")
@pytest.mark.parametrize("who", ["agency", "wang"])
def test_ending_the_second_link_ends_it(chain: Chain, who: str) -> None:
    link = chain.assigns()
    move = {"agency": "release", "wang": "leave"}[who]
    assert getattr(chain, who).tries_to(move, chain.own).status_code == 200
    assert chain.wang.units() == []
    assert chain.agents()[0]["state"] == "released"
    chain.wang.refused(chain.wang.mandate(link), 409, "binding-not-active")


@pytest.mark.req("EA-13")
def test_the_chain_rests_with_the_agent_and_the_agency(desk: Any, chain: Chain) -> None:
    link = chain.assigns()
    desk.account("locked", chain.agency.id)
    assert chain.agents()[0]["reasons"][0]["code"] == "agency-link"
    chain.wang.refused(chain.wang.mandate(link), 409, "binding-suspended")
    desk.account("unlocked", chain.agency.id)
    assert len(chain.wang.units()) == 2
    desk.account("locked", chain.wang.id)
    assert chain.wang.units() == []
    desk.account("unlocked", chain.wang.id)
    assert len(chain.wang.units()) == 2
    desk.account("cancelled", chain.agency.id, kind="unit")
    assert chain.shows()["state"] == "ended"
    assert chain.wang.units() == []


@pytest.mark.req("EA-13")
@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"business": FAIRS}, "/business"),
        ({"actions": ["sign"]}, "/actions"),
        ({"valid_until": "2027-11-21"}, "/valid_until"),
        ({"region": "440305"}, "/region"),
    ],
)
def test_an_agency_gives_on_what_it_was_given_and_no_more(
    desk: Any, chain: Chain, wish: dict[str, Any], field: str
) -> None:
    if "region" in wish:
        desk.run("UPDATE entrusted_business SET region = '440106'")
    refused = chain.agency.refused(chain.tries_to_assign(**wish), 422, "beyond-entrusted")
    assert [fault["field"] for fault in refused["errors"]] == [field]
    assert chain.agents() == []


@pytest.mark.req("EA-13")
def test_a_chain_has_two_links_and_no_more(desk: Any, chain: Chain) -> None:
    """The agency's agent by a chain is not an agent of the agency's to hand on."""
    link = chain.assigns()
    third = desk.unit(name="第三家", uscc="914403001922038216")
    offered = chain.client.post(
        "entrustments", chain.offer(JOBS) | {"agency_uscc": "914403001922038216"}
    )
    assert offered.status_code in {201, 409}
    path = f"received-entrustments/{chain.entrustment['id']}/agents"
    one = {"business": JOBS, "actions": ["submit"]} | TERMS
    other = {"binding_id": link["id"], "businesses": [one]}
    chain.agency.refused(chain.agency.post(path, other), 404, "binding-not-found")
    managing = chain.offer("employer-auth.unit", actions=["manage"])
    refused = third.post("entrustments", managing)
    third.refused(refused, 422, "management-not-entrusted")


@pytest.mark.req("EA-13")
def test_a_business_taken_back_is_taken_from_everybody(chain: Chain) -> None:
    link = chain.assigns()
    path = f"entrustments/{chain.entrustment['id']}/businesses/{JOBS}"
    assert chain.client.done(chain.client.delete(path))["businesses"] == []
    acting = {unit["unit_id"]: unit for unit in chain.wang.units()}[chain.client.id]
    assert (acting["permissions"], acting["version"] > link["version"]) == ([], True)
    chain.client.refused(chain.client.delete(path), 422, "beyond-entrusted")
    chain.agency.refused(chain.tries_to_assign(), 422, "beyond-entrusted")


def test_an_agency_has_to_agree_and_strangers_see_nothing(desk: Any) -> None:
    chain = Chain(desk, accepted=False)
    chain.agency.refused(chain.tries_to_assign(), 409, "entrustment-not-active")
    again = chain.client.post("entrustments", chain.offer(FAIRS))
    chain.client.refused(again, 409, "already-entrusted")
    (received,) = chain.agency.done(chain.agency.get("received-entrustments"))["items"]
    assert received["state_label"] == "待机构确认"
    by_client = chain.client.post(f"received-entrustments/{received['id']}/accept", {})
    chain.client.refused(by_client, 404, "entrustment-not-found")
    stranger = desk.unit()
    stranger.refused(stranger.get(f"entrustments/{received['id']}"), 404, "entrustment-not-found")
    assert stranger.done(stranger.get("entrustments"))["items"] == []
    assert chain.answers("decline")["state"] == "declined"
    assert chain.client.done(chain.client.post("entrustments", chain.offer(FAIRS)), 201)
    own = chain.agency.post("entrustments", chain.offer(JOBS))
    chain.agency.refused(own, 409, "own-agency")
    nobody = chain.client.post("entrustments", chain.offer(JOBS) | {"agency_uscc": "9" * 18})
    chain.client.refused(nobody, 404, "agency-not-found")
    twice = chain.client.post("entrustments", chain.offer(JOBS, JOBS))
    assert twice.status_code == 422


def test_either_side_takes_one_agent_off(chain: Chain) -> None:
    link = chain.assigns()
    chain.agency.refused(chain.tries_to_assign(), 409, "already-bound")
    path = f"entrustments/{chain.entrustment['id']}/agents/{link['id']}/dismiss"
    assert chain.agency.done(chain.agency.post(path, {}))["ended_by"] == "agency"
    again = chain.assigns()
    path = f"entrustments/{chain.entrustment['id']}/agents/{again['id']}/dismiss"
    assert chain.client.done(chain.client.post(path, {}))["ended_by"] == "unit"
    grant = chain.client.tries_to_grant(chain.assigns(), JOBS, "view")
    chain.client.refused(grant, 409, "assigned-by-agency")


def test_an_entrustment_ends_with_its_last_day(desk: Any, chain: Chain) -> None:
    chain.assigns()
    desk.clock.advance(days=365)
    desk.works("end-validities")
    assert chain.shows()["state"] == "ended"
    assert [unit["unit_id"] for unit in chain.wang.units()] == [chain.agency.id]
    path = f"entrustments/{chain.entrustment['id']}/history"
    moves = [entry["move"] for entry in chain.client.done(chain.client.get(path))]
    assert moves == ["offer", "accept", "expire"]
