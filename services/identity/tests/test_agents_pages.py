"""我经办的法人 and 我的经办人: both sides' pages, with employer-auth played over HTTP (F6)."""

import re
from types import SimpleNamespace

import pytest
from flask import Flask, request

from identity.adapters.agents import HttpAgents
from servicekit.client import Client
from servicekit.testing.serving import served

BASE = "/api/employer-auth/v1"
ONE = "01890a5d-ac96-774b-bcce-b302099a8051"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8052"
NOT_FOUND = "未查询到对应用户，请检查用户信息后重新发起绑定"


def binding(**changes):
    return {
        "id": ONE,
        "unit_id": "u",
        "unit_name": "广州示例科技有限公司",
        "uscc": "914403001922038216",
        "person_name": "林**",
        "login_name": "l*****",
        "via": None,
        "state": "invited",
        "state_label": "待确认",
        "reasons": [],
        "valid_until": None,
        "created_at": "2026-11-20T17:00:00+00:00",
        "expires_at": "2026-12-20T17:00:00+00:00",
        "bound_at": None,
        "ended_at": None,
        "ended_by": None,
        "open_moves": ["accept", "decline"],
        "version": 1,
    } | changes


ACTIVE = {"state": "active", "state_label": "已绑定", "bound_at": "2026-11-21T03:00:00+00:00"}
GRANT = {
    "title": "招聘岗位",
    "action_labels": ["查看", "填报"],
    "region_name": "广东省广州市天河区",
    "valid_from": "2026-11-21",
    "valid_until": "2027-11-20",
    "in_force": True,
}


class Employer:
    """employer-auth, as far as the pages ask it; it keeps what it was asked with."""

    def __init__(self):
        self.bindings, self.asked = {}, []
        self.problem = None
        self.next_cursor = None
        self.app = Flask("employer-auth")
        self.app.before_request(self.note)
        self.app.get(f"{BASE}/<side>")(self.listed)
        self.app.post(f"{BASE}/sub-accounts")(self.invited)
        self.app.get(f"{BASE}/<side>/<binding_id>")(self.one)
        self.app.get(f"{BASE}/<side>/<binding_id>/grants")(self.granted)
        self.app.post(f"{BASE}/<side>/<binding_id>/<move>")(self.moved)

    def note(self):
        token = request.headers["Authorization"].removeprefix("Bearer ")
        key = request.headers.get("Idempotency-Key")
        body = request.get_json(silent=True)
        path = request.full_path.rstrip("?").removeprefix(BASE)
        self.asked.append(SimpleNamespace(path=path, token=token, key=key, body=body))
        posted = self.problem is not None and request.method == "POST"
        return (self.problem[0], self.problem[1]) if posted else None

    def listed(self, side):
        items = list(self.bindings.values())
        return {"items": items, "next_cursor": self.next_cursor, "total": len(items)}

    def invited(self):
        return {}, 201

    def granted(self, **_):
        return {"items": [GRANT]}

    def moved(self, **_):
        return {}

    def one(self, side, binding_id):
        if binding_id in self.bindings:
            return self.bindings[binding_id]
        return {"code": "binding-not-found", "detail": "未找到该绑定信息，请刷新列表后重试。"}, 404


@pytest.fixture
def employer(world):
    played = Employer()
    with served(played.app) as url:
        client = Client(url, timeout=2, name="employer-auth")
        object.__setattr__(world.app.extensions["identity"], "agents", HttpAgents(client))
        yield played


@pytest.fixture
def person(world, employer):
    return world.proves(world.registers())


@pytest.fixture
def browser(world, person):
    return world.browser().signs_in(person)


@pytest.fixture
def unit(world, person):
    registered = world.registers_unit(person)
    return world.browser().signs_in(registered), registered


def presses(browser, name):
    """Press a button of the binding's page, whether or not it is there."""
    return browser.post(f"/identity/agents/{ONE}/{name}", form(browser))


def form(browser, page=f"/identity/agents/{ONE}"):
    """What every form of ours carries."""
    return dict(re.findall(r'name="(form_token)" value="([^"]*)"', browser.get(page).text))


def who(world, token):
    return world.app.verifier.verify(token).actor


@pytest.mark.req("EA-03", "F2", "F6")
def test_a_person_finds_the_entry_and_passes_a_units_request(world, employer, person, browser):
    employer.bindings[ONE] = binding()
    for page in ("/identity/", "/identity/security"):
        assert '<a href="/identity/agents">我经办的法人</a>' in browser.get(page).text
    listed = browser.get("/identity/agents")
    assert "广州示例科技有限公司" in listed.text
    assert "待确认" in listed.text
    assert "2026-12-21 前确认" in listed.text, "the day here, not in Greenwich"
    assert "林**" not in listed.text
    assert "<script" not in listed.text
    shown = browser.get(f"/identity/agents/{ONE}")
    assert "通过" in shown.text
    assert "不通过" in shown.text
    assert "解除绑定" not in shown.text
    done = presses(browser, "accept")
    assert done.status_code == 303
    assert "已通过，绑定即时生效" in browser.get(done.location).text
    asked = [each for each in employer.asked if each.path.endswith("/accept")]
    assert [each.path for each in asked] == [f"/parent-accounts/{ONE}/accept"]
    assert who(world, asked[0].token).id == person.id
    assert asked[0].key


@pytest.mark.req("EA-05", "EA-06", "F4", "F6")
def test_a_person_sees_what_was_granted_and_may_leave(employer, browser):
    employer.bindings[ONE] = binding(**ACTIVE, open_moves=["leave"])
    employer.bindings[OTHER] = binding(
        id=OTHER,
        state="suspended",
        state_label="已暂停",
        reasons=[{"code": "unit-frozen", "text": "单位账号已冻结"}],
        via={"unit_id": "a", "name": "广州代理服务有限公司"},
    )
    listed = browser.get("/identity/agents").text
    assert "单位账号已冻结" in listed
    assert "经 广州代理服务有限公司 代理" in listed
    shown = browser.get(f"/identity/agents/{ONE}").text
    assert "招聘岗位" in shown
    assert "查看、填报；限广东省广州市天河区；2026-11-21 至 2027-11-20" in shown
    done = presses(browser, "leave")
    assert "已解除绑定" in browser.get(done.location).text


@pytest.mark.req("EA-02", "EA-05", "F1", "F3", "F6")
def test_a_unit_sees_its_agents_invites_and_releases(world, employer, unit):
    browser, registered = unit
    employer.bindings[ONE] = binding(**ACTIVE, open_moves=["release"])
    assert '<a href="/identity/agents">我的经办人</a>' in browser.get("/identity/").text
    listed = browser.get("/identity/agents").text
    assert "<h1>我的经办人</h1>" in listed
    assert "林**（l*****）" in listed
    typed = {"login_name": "lin_xiaoman", "name": "林小满", "document_number": "440106199001010012"}
    done = browser.fills("/identity/agents", **typed)
    assert "待对方登录个人账号" in browser.get(done.location).text
    asked = next(each for each in employer.asked if each.body == typed)
    assert asked.path == "/sub-accounts"
    assert who(world, asked.token).id == registered.id
    employer.problem = {"code": "bind-user-not-found", "detail": NOT_FOUND}, 404
    refused = browser.fills("/identity/agents", **typed)
    assert refused.status_code == 409
    assert NOT_FOUND in refused.text
    assert 'value="lin_xiaoman"' in refused.text
    assert 'aria-invalid="true"' in refused.text
    employer.problem = None
    done = presses(browser, "release")
    assert "已解除绑定" in browser.get(done.location).text


@pytest.mark.req("AL-01")
def test_every_empty_field_is_told_at_once_and_nobody_is_asked(employer, unit):
    browser, _ = unit
    answer = browser.fills("/identity/agents", login_name=" ", name="", document_number="")
    assert answer.status_code == 422
    assert len(re.findall(r'href="#(?:login_name|name|document_number)"', answer.text)) == 3
    assert not [each for each in employer.asked if each.body]


def test_refusals_are_shown_in_employer_auths_words(employer, browser):
    employer.bindings[ONE] = binding()
    detail = "该绑定邀请已过期，请联系单位重新发起绑定。"
    employer.problem = {"code": "invitation-lapsed", "detail": detail}, 409
    answer = presses(browser, "accept")
    assert (answer.status_code, detail in answer.text) == (409, True)
    missing = browser.get(f"/identity/agents/{OTHER}")
    assert missing.status_code == 404
    assert "未找到该绑定信息" in missing.text


def test_a_long_list_has_more_parts(employer, browser):
    employer.bindings[ONE] = binding()
    employer.next_cursor = "abc=="
    assert "/identity/agents?cursor=abc%3D%3D" in browser.get("/identity/agents").text
    assert "回到第一页" in browser.get("/identity/agents?cursor=abc%3D%3D").text
    assert employer.asked[-1].path == "/parent-accounts?cursor=abc%3D%3D"


def test_only_the_right_side_may_do_its_moves_and_strangers_sign_in_first(
    world, employer, browser, unit
):
    employer.bindings[ONE] = binding()
    assert presses(browser, "release").location == "/identity/"
    unit_form = form(unit[0], "/identity/agents")
    assert unit[0].post(f"/identity/agents/{ONE}/accept", unit_form).location == "/identity/"
    invited = browser.post("/identity/agents", form(browser) | {"login_name": "lin_xiaoman"})
    assert invited.location == "/identity/"
    visitor = world.browser().get("/identity/agents")
    assert visitor.location == "/identity/login?return_to=%2Fidentity%2Fagents"
    officer = world.browser().signs_in(world.officer("reviewer"), world.clock)
    assert officer.get("/identity/agents").location == "/identity/"
    asked = {each.path.rpartition("/")[2] for each in employer.asked}
    assert not asked & {"release", "accept"}


def test_a_form_from_elsewhere_moves_nothing(employer, browser):
    employer.bindings[ONE] = binding()
    answer = browser.post(f"/identity/agents/{ONE}/accept", {"form_token": "another"})
    assert answer.status_code == 400
    assert not [each for each in employer.asked if each.path.endswith("accept")]


def test_while_employer_auth_is_away_the_page_says_so(world, browser):
    away = HttpAgents(Client("http://127.0.0.1:1", timeout=1, name="employer-auth"))
    object.__setattr__(world.app.extensions["identity"], "agents", away)
    assert browser.get("/identity/agents").status_code == 503
