"""Units at the door (ID-10, ID-30, ID-48): password, its change, messages, the representative."""

from types import SimpleNamespace

import pytest

from identity.accounts.model import Account
from identity.messages import actions, rules
from identity.messages.actions import Wish
from identity.messages.rules import To
from identity.sms_codes.actions import accounts_of


@pytest.fixture
def unit(world):
    return world.registers_unit(world.proves(world.registers()))


@pytest.mark.req("ID-30", "ID-10", "I5")
def test_a_unit_signs_in_by_password_and_changes_it(world, unit):
    browser = world.browser().signs_in(unit)
    page = browser.get("/identity/security/password")
    assert "密码修改 · 单位" in page.text
    done = browser.fills(
        "/identity/security/password",
        current_password=unit.password,
        password="Hb2026rsW",
        again="Hb2026rsW",
    )
    assert done.location == "/identity/security?done=password"
    assert world.browser().logs_in(unit).status_code == 401
    assert world.browser().logs_in(unit, password="Hb2026rsW").status_code == 303


@pytest.mark.req("ID-16")
def test_a_unit_has_no_security_questions(world, unit):
    browser = world.browser().signs_in(unit)
    assert "密保问题" not in browser.get("/identity/security").text
    answers = {}
    for place, (code, said) in enumerate(
        [("first-teacher", "赵老师"), ("first-dish", "番茄炒蛋"), ("first-trip", "韶关")]
    ):
        answers |= {f"question_{place}": code, f"answer_{place}": said}
    path = "/identity/security/questions"
    refused = browser.fills(path, current_password=unit.password, **answers)
    assert (refused.status_code, "不能使用密保问题" in refused.text) == (422, True)


@pytest.mark.req("ID-09")
def test_a_phone_code_opens_no_units_account(world, unit):
    with world.app.database.reading() as db:
        phone = db.get_one(Account, unit.id).phone.expose()
        assert all(a.id != unit.id for a in accounts_of(db, phone))


@pytest.mark.req("ID-48")
def test_a_unit_reads_its_messages_and_its_representative_is_told_apart(world, unit, monkeypatch):
    form = rules.Template("objection", 1, "绑定提醒", "绑定：{code}", "【就业服务】异议码{code}。")
    shipped = rules.templates()
    monkeypatch.setattr(rules, "_templates", lambda: (*shipped, form))

    def sends(to):
        wish = Wish(unit.id, to, "objection", {"code": "ABCD-1234"}, sms=True)
        with world.app.database.transaction() as db:
            actions.send_notice(db, wish, client_id="c", scopes=("notices",), now=world.clock.now())

    sends(To.LEGAL_REPRESENTATIVE)
    assert any("ABCD-1234" in text for text in world.texts(unit.legal_phone))
    who = SimpleNamespace(login_name=unit.login_name, password=unit.password)
    token = world.token_of(who, scope="openid")
    seen = world.browser().api("GET", "/me/messages", token=token).json
    assert all(m["title"] != "绑定提醒" for m in seen["items"])  # for the representative alone
    sends(To.OWNER)
    seen = world.browser().api("GET", "/me/messages", token=token).json
    assert seen["items"][0]["body"] == "绑定：ABCD-1234"
