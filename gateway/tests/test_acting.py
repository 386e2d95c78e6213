"""A browser's session acts for a unit, for another, and comes home; no token is ever seen."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from frontdoor.testing.browser import Browser
from frontdoor.testing.provider import LIN, Provider
from frontdoor.testing.service import Service, answer

SAME = {"Sec-Fetch-Site": "same-origin"}
UNIT = "01890a5d-ac96-774b-bcce-b302099a8100"
LOCATIONS = """
    location = /sso/login { browser_session login; }
    location = /sso/callback { browser_session callback; }
    location = /sso/logout { browser_session logout; }
    location = /sso/session { browser_session show; }
    location = /sso/act { browser_session act; }
    location = /sso/act/leave { browser_session leave; }
    location /identity/ { proxy_pass http://identity; }
    location /api/ { auth_jwt jiuye; proxy_pass http://service; }
"""
OUTSIDE = "browser_session_mandates http://employer-auth/api/employer-auth/v1/mandates;"
ACTING = {
    "sub": UNIT,
    "sub_type": "unit",
    "acr": "urn:gdprov:ial:3",
    "act": {"sub": LIN, "acr": "urn:gdhrss:ial:2"},
    "binding": "b-1",
    "bver": 3,
    "permissions": ["recruitment.jobs:submit"],
}


class World:
    """A person logged in at a gateway before identity, employer-auth and a service."""

    def __init__(self, start) -> None:
        self.provider, self.service, self.asked = Provider(), Service(), []
        self.refusal = b""
        identity = self.provider.service()
        services = {
            "identity": identity,
            "service": self.service,
            "employer-auth": Service(answering=self._mandate),
        }
        self.gateway = start(LOCATIONS, services, identity=identity, outside=OUTSIDE)
        self.provider.issuer = f"{self.gateway.public_url}/identity"
        self.provider.wall = self.gateway.clock.wall
        self.provider.acting = ACTING
        self.browser = Browser(self.gateway)
        self.browser.log_in()

    async def _mandate(self, request, writer) -> None:
        self.asked.append(request)
        if self.refusal:
            writer.write(answer(self.refusal, status="409 Conflict"))
            return
        mandate = f"mandate-{len(self.asked)}"
        self.provider.mandates.add(mandate)
        writer.write(answer(orjson.dumps({"mandate": mandate}), status="201 Created"))

    def post(self, target: str, fields=SAME):
        return self.browser.ask(target, "POST", fields, b"")

    def session(self) -> dict:
        return orjson.loads(self.browser.ask("/sso/session").body)

    def subject(self) -> str:
        """Whom the service sees."""
        assert self.browser.ask("/api/x").status == 200
        token = self.service.received[-1].one("authorization").split(".")[1]
        return orjson.loads(base64.urlsafe_b64decode(token + "=="))["sub"]


@pytest.fixture
def world(start) -> World:
    return World(start)


@pytest.mark.req("GW-02")
def test_one_chooses_a_unit_switches_and_comes_home(world) -> None:
    assert world.subject() == LIN
    got = world.post(f"/sso/act?unit_id={UNIT}&binding_id=b-1")
    assert got.status == 200, got.body
    said = orjson.loads(got.body)
    assert (said["subject"], said["kind"]) == (UNIT, "unit")
    assert said["acting"] == {
        "person": LIN,
        "agency": None,
        "binding": "b-1",
        "permissions": ["recruitment.jobs:submit"],
    }
    assert orjson.loads(world.asked[0].body) == {"unit_id": UNIT, "binding_id": "b-1"}
    assert world.subject() == UNIT
    world.provider.acting = {**ACTING, "binding": "b-2"}
    assert world.post(f"/sso/act?unit_id={UNIT}&binding_id=b-2").status == 200
    assert world.session()["acting"]["binding"] == "b-2"
    back = world.post("/sso/act/leave?return_to=/desk", {**SAME, "Accept": "text/html"})
    assert (back.status, back.one("location")) == (303, "/desk")
    assert world.subject() == LIN
    assert "acting" not in world.session()


@pytest.mark.req("GW-02")
def test_acting_is_renewed_silently_and_ends_at_home_when_the_binding_has(world) -> None:
    world.post(f"/sso/act?unit_id={UNIT}&binding_id=b-1")
    world.gateway.clock.advance(290)
    assert world.subject() == UNIT
    world.provider.refresh_tokens -= set(world.provider.chains) - {
        token for token, claims in world.provider.chains.items() if not claims
    }
    world.gateway.clock.advance(290)
    ended = world.post("/api/file")
    assert (ended.status, orjson.loads(ended.body)["code"]) == (403, "acting-ended")
    assert world.service.received[-1].target == "/api/x"  # what was meant for the unit is not done
    assert world.subject() == LIN


@pytest.mark.req("GW-02", "ID-43")
def test_a_binding_that_ended_is_told_once_and_the_login_goes_on(world) -> None:
    choose = f"/sso/act?unit_id={UNIT}&binding_id=b-1"

    def end(version: int) -> None:
        async def revise() -> None:
            world.gateway.gateway.revocations.revise_binding("b-1", version)

        world.gateway.call(revise)

    world.post(choose)
    end(4)
    ended = world.post("/api/file")
    assert (ended.status, orjson.loads(ended.body)["code"]) == (403, "acting-ended")
    assert world.subject() == LIN
    world.provider.acting = {**ACTING, "bver": 4}
    assert world.post(choose).status == 200
    end(5)
    page = world.browser.ask("/api/desk?x=1", fields={"Accept": "text/html"})
    assert (page.status, page.one("location")) == (303, "/api/desk?x=1")
    assert world.subject() == LIN
    world.provider.acting = {**ACTING, "bver": 5}
    assert world.post(choose).status == 200
    end(6)
    shown = world.session()
    assert (shown["subject"], "acting" in shown) == (LIN, False)


def test_a_refusal_is_told_as_employer_auth_said_it_and_the_login_stays(world) -> None:
    world.refusal = b'{"code":"binding-suspended"}'
    got = world.post(f"/sso/act?unit_id={UNIT}&binding_id=b-1")
    assert (got.status, got.body) == (409, world.refusal)
    assert got.one("content-type") == "application/problem+json"
    assert world.subject() == LIN


def test_identitys_refusal_leaves_the_person_logged_in(world) -> None:
    world.post(f"/sso/act?unit_id={UNIT}&binding_id=b-1")
    world.provider.mandates = type("None", (set,), {"add": lambda self, value: None})()
    got = world.post(f"/sso/act?unit_id={UNIT}&binding_id=b-2")
    assert (got.status, orjson.loads(got.body)["code"]) == (403, "acting-refused")
    assert world.subject() == LIN


def test_other_sites_visitors_and_half_a_choice_change_nothing(world) -> None:
    target = f"/sso/act?unit_id={UNIT}&binding_id=b-1"
    assert world.post(target, {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert world.post(target, {}).status == 403
    assert world.browser.ask(target).status == 405
    assert world.post("/sso/act?unit_id=x").status == 400
    assert world.gateway.ask(target, "POST", SAME, b"").status == 401
    assert world.gateway.ask("/sso/act/leave", "POST", SAME, b"").status == 401
    assert world.asked == []
    world.provider.away = True
    world.gateway.clock.advance(290)
    assert world.post(target).status == 503


def test_the_logout_page_is_whole_and_allows_only_its_own_style(world) -> None:
    got = world.browser.ask("/sso/logout")
    assert "退出登录" in got.body.decode()
    policy = got.one("content-security-policy")
    assert "default-src 'none'; style-src 'sha256-" in policy
    assert "unsafe" not in policy
    visitor = world.gateway.ask("/sso/logout")
    assert "您当前没有登录" in visitor.body.decode()
    out = world.post("/sso/logout")
    assert parse_qs(urlsplit(out.one("location")).query)["client_id"] == ["jiuye-gateway"]
    assert world.session() == {"logged_in": False}
