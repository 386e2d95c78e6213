"""Nobody gets anywhere without a mark, a good token and enough of everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Blueprint

from servicekit.settings import ServiceSettings
from servicekit.testing.client import ApiClient
from servicekit.testing.issuer import Issuer
from servicekit.testing.settings import sample_settings
from servicekit.web import access, session
from servicekit.web.access import Mark, identify, mark_of, public
from servicekit.web.app import Service, UnmarkedRoute, build
from servicekit.web.refusals import UnitFrozen
from servicekit.workflow import Role

BUSINESS = "paper-room.papers"


def code_of(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, json.loads(answer.data)["code"]


def test_a_route_without_a_mark_stops_the_start(paper_room: Any) -> None:
    bare = Blueprint("bare", __name__, url_prefix="/bare")
    bare.add_url_rule("/forgotten", view_func=lambda: "secret", endpoint="forgotten")
    bare.add_url_rule("/marked", view_func=public(lambda: "hello"), endpoint="marked")
    declared: Service = paper_room.app.service
    values = {name: getattr(declared, name) for name in declared.__dataclass_fields__}
    service = Service(**{**values, "blueprints": (bare,)})
    with pytest.raises(UnmarkedRoute, match=r"/bare/forgotten") as refused:
        build(service, sample_settings(ServiceSettings, "PAPER_ROOM"))
    assert "/bare/marked" not in str(refused.value)


def test_marks_can_be_read(paper_room: Any) -> None:
    marks = paper_room.app.marks
    written = marks["papers.write"]
    assert written.roles == (Role.APPLICANT,)
    assert (written.level, written.kinds) == (2, frozenset({"person"}))
    assert marks["papers.approve"].business == BUSINESS
    assert marks["papers.approve"].kinds == {"officer"}
    assert marks["papers.units_only"].keyed is False
    assert marks["health.livez"].is_public
    assert "papers.expire" not in marks  # SYSTEM's moves have no address
    assert mark_of(lambda: None) is None
    with pytest.raises(ValueError, match="name the roles"):
        access.access()


def test_nobody_is_left_to_the_next_request_of_a_thread(paper_room: Any) -> None:
    assert paper_room.person().get("/papers").status_code == 200
    with pytest.raises(AssertionError):
        session.actor()


def test_without_a_token_there_is_a_plain_challenge(paper_room: Any) -> None:
    answer = paper_room.visitor().get("/papers")
    assert code_of(answer) == (401, "login-needed")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="jiuye"'
    basic = paper_room.visitor().call("GET", "/papers", headers={"Authorization": "Basic eDp5"})
    assert code_of(basic) == (401, "login-needed")


@pytest.mark.req("ID-42")
def test_too_low_a_level_is_told_how_to_rise(paper_room: Any) -> None:
    answer = paper_room.person(level=1).post("/papers", {"title": "x"})
    assert code_of(answer) == (401, "realname-level-too-low")
    challenge = answer.headers["WWW-Authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'acr_values="urn:gdhrss:ial:2"' in challenge
    document = json.loads(answer.data)
    assert document["detail"] == "当前账号实名等级不足，请至少提升至二级实名后重试"
    assert (document["level"], document["required_level"]) == (1, 2)


@pytest.mark.req("PRT-02")
def test_personal_business_needs_a_personal_session(paper_room: Any) -> None:
    unit = paper_room.person(kind="unit", acting="somebody", level=3)
    assert code_of(unit.post("/papers", {"title": "x"})) == (403, "personal-session-required")
    person = paper_room.person()
    assert code_of(person.post("/papers/units", key=None)) == (403, "unit-session-required")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"roles": ["reviewer"]}, (200, "reviewer")),
        ({"roles": ["reviewer", "window"]}, (200, "window")),  # the mark's order decides
        ({"roles": ["admin"]}, (403, "wrong-role")),
        ({"roles": ["clown"]}, (403, "wrong-role")),
        ({"businesses": ["paper-room.books"]}, (403, "other-business")),
        ({"businesses": []}, (403, "other-business")),
        ({"acr": "urn:gdhrss:aal:1"}, (401, "realname-level-too-low")),
        ({"acr": "urn:gdhrss:ial:3"}, (401, "realname-level-too-low")),
    ],
)
@pytest.mark.req("ID-45")
def test_officers_need_role_business_and_second_factor(
    paper_room: Any, claims: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = paper_room.officer(**claims).get("/papers/reviews")
    told = answer.get_json()["title"] if answer.status_code == 200 else code_of(answer)[1]
    assert (answer.status_code, told) == expected


def test_a_person_is_no_officer(paper_room: Any) -> None:
    assert code_of(paper_room.person().get("/papers/reviews")) == (403, "wrong-role")
    assert code_of(paper_room.officer().post("/papers", {"title": "x"})) == (403, "wrong-role")
    forged = paper_room.person(roles=["reviewer"], businesses=[BUSINESS])
    assert code_of(forged.get("/papers/reviews")) == (403, "wrong-role")


def test_public_routes_do_not_look_at_tokens(paper_room: Any) -> None:
    page = ApiClient(paper_room.app, "not a token")
    answer = page.call("POST", "/pages/hello", key=None, data={"name": "x"})
    assert (answer.status_code, answer.text) == (200, "<p>visitor</p>")


@pytest.mark.req("ID-43")
def test_a_revoked_session_is_over_everywhere(paper_room: Any) -> None:
    ended, other = paper_room.person(sid="s-1", sub="a-1"), paper_room.person(sid="s-2", sub="a-2")
    assert ended.get("/papers").status_code == other.get("/papers").status_code == 200
    paper_room.app.revocations.end_session("s-1")
    assert code_of(ended.get("/papers")) == (401, "invalid-token")
    paper_room.app.revocations.end_account("a-2")
    assert code_of(other.get("/papers")) == (401, "invalid-token")


UNIT = {"kind": "unit", "acting": "p-1"}
GRANTED = {**UNIT, "permissions": ["paper-room.papers:submit"]}


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({**GRANTED, "level": 4}, (204, "")),
        ({**GRANTED, "level": 4, "via": "agency"}, (204, "")),
        ({**UNIT, "level": 4}, (403, "not-granted")),
        ({**UNIT, "level": 4, "permissions": ["paper-room.papers:view"]}, (403, "not-granted")),
        ({**GRANTED, "level": 3}, (401, "unit-level-too-low")),
        ({**GRANTED, "level": 2}, (401, "unit-level-too-low")),
        ({**GRANTED, "acr": "urn:gdhrss:ial:4"}, (401, "unit-level-too-low")),
        (
            {**GRANTED, "level": 4, "act": {"sub": "p-1", "acr": "urn:gdhrss:ial:1"}},
            (401, "realname-level-too-low"),
        ),
        ({"kind": "unit", "level": 5}, (403, "delegate-required")),
        ({"level": 3}, (403, "unit-session-required")),
    ],
)
@pytest.mark.req("EA-01", "EA-06", "ID-25", "PRT-10", "A5")
def test_business_of_a_unit_is_done_by_whom_it_granted_it(
    paper_room: Any, claims: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = paper_room.person(**claims).post("/papers/for-units", key=None)
    told = "" if answer.status_code == 204 else code_of(answer)[1]
    assert (answer.status_code, told) == expected


@pytest.mark.req("EA-01", "ID-25", "D3")
def test_some_business_may_be_done_by_the_unit_account_itself(paper_room: Any) -> None:
    assert (
        paper_room.person(kind="unit", level=4).post("/papers/alone", key=None).status_code == 204
    )
    low = paper_room.person(kind="unit", level=3).post("/papers/alone", key=None)
    assert code_of(low) == (401, "unit-level-too-low")
    assert 'acr_values="urn:gdprov:ial:4"' in low.headers["WWW-Authenticate"]
    assert '单位用户最低实名等级为"L2"级' in json.loads(low.data)["detail"]


@pytest.mark.req("EA-12")
def test_a_frozen_unit_asks_and_does_nothing(paper_room: Any) -> None:
    frozen = {"kind": "unit", "level": 5, "frozen": True}
    refused = paper_room.person(**frozen).post("/papers/alone", key=None)
    assert code_of(refused) == (403, "unit-frozen")
    asked, done = Mark(kinds=frozenset({"unit"}), roles=(Role.APPLICANT,)), {"asks": False}
    claims = paper_room.app.verifier.verify(paper_room.issuer.token(**frozen))
    assert identify(asked, claims).kind == "unit"
    with pytest.raises(UnitFrozen):
        identify(asked, claims, **done)
    assert identify(replace(asked, while_frozen=True), claims, **done).kind == "unit"


@pytest.mark.req("ID-26")
def test_units_of_an_organisation_code_are_told_to_use_the_credit_code(paper_room: Any) -> None:
    old = {**GRANTED, "level": 5, "certificate_type": "organisation-code"}
    refused = paper_room.person(**old).post("/papers/for-units", key=None)
    assert code_of(refused) == (403, "uscc-account-required")
    assert json.loads(refused.data)["detail"] == ("请使用统一社会信用代码注册的账号登录办理业务")
    new = {**old, "certificate_type": "uscc"}
    assert paper_room.person(**new).post("/papers/for-units", key=None).status_code == 204


def test_who_acts_reaches_only_routes_that_name_a_grant(paper_room: Any) -> None:
    agent = paper_room.person(**GRANTED)
    assert code_of(agent.post("/papers/units", key=None)) == (403, "unit-account-required")
    own = paper_room.person(kind="unit")
    assert own.post("/papers/units", key=None).status_code == 204


def test_a_system_needs_the_scopes_of_the_route(paper_room: Any) -> None:
    system = paper_room.person(kind="system", scope="papers.read papers.write")
    assert system.post("/papers/scoped", key=None).status_code == 204
    poor = paper_room.person(kind="system", scope="papers.read").post("/papers/scoped", key=None)
    assert code_of(poor) == (403, "scope-missing")
    assert json.loads(poor.data)["scope"] == "papers.write"


@pytest.mark.parametrize("how", ["expired", "foreign", "tampered"])
def test_a_bad_token_is_refused(
    paper_room: Any, how: str, make_bad: Callable[[Issuer, str], str]
) -> None:
    answer = paper_room.visitor().as_(make_bad(paper_room.issuer, how)).get("/papers")
    assert code_of(answer) == (401, "invalid-token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.fixture
def make_bad() -> Callable[[Issuer, str], str]:
    """A token that is wrong in the named way."""
    return lambda issuer, how: str(getattr(issuer, how)())
