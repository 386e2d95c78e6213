"""Notices (ID-48): other services tell people something; a secret stays sealed."""

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from identity.messages import actions, rules
from identity.messages.model import Delivery, Message, Notice
from servicekit.testing.issuer import Issuer

FORM = rules.Template(
    "code-granted", 1, "授权码已生成", "授权码：{code}", "【就业服务】授权码{code}。"
)


@pytest.fixture
def issuer(world, monkeypatch):
    """Signs what this identity takes for its own tokens."""
    made = Issuer(clock=world.clock)
    monkeypatch.setattr(world.app.verifier, "keys", SimpleNamespace(find=lambda kid: made.key))
    monkeypatch.setattr(world.app.verifier, "revoked", lambda claims: False)
    return made


@pytest.fixture
def system(issuer):
    """A token of another service's, by scopes."""

    def token(scope="notices", client="jiuye-employer-auth"):
        return issuer.token("system", sub=client, client_id=client, scope=scope, sid="")

    return token


@pytest.fixture
def person(world):
    return world.registers()


@pytest.fixture(autouse=True)
def texts(monkeypatch):
    """One more template than identity ships."""
    shipped = rules.templates()
    monkeypatch.setattr(rules, "_templates", lambda: (*shipped, FORM))


def sends(world, token, person, **changes):
    asked = {
        "account_id": person.id,
        "to": "owner",
        "template": "code-granted",
        "words": {"code": "ABCD-1234"},
        "sms": True,
    } | changes
    return world.browser().api("POST", "/notices", asked, token=token)


def rows(world, table):
    with world.app.database.reading() as db:
        return db.scalars(select(table)).all()


@pytest.mark.req("ID-48")
def test_a_notice_is_read_in_the_application_and_by_sms_and_its_secret_is_sealed(
    world, system, person
):
    sent = sends(world, system(), person)
    assert sent.status_code == 202, sent.text
    assert sent.json["sms"] == "created"
    assert "ABCD-1234" not in sent.text
    assert any("ABCD-1234" in text for text in world.texts(person.phone))
    with world.app.database.reading() as db:
        told = db.scalars(select(Message)).one()
        assert told.text == "授权码：ABCD-1234"
        for table in ("message", "sms_delivery", "notice", "idempotency_key"):
            shown = db.connection().exec_driver_sql(f"SELECT t::text FROM {table} t").scalars()
            assert not any("ABCD-1234" in row for row in shown)
    world.job("send-sms")
    path = f"/notices/{sent.json['id']}"
    assert world.browser().api("GET", path, token=system()).json["sms"] == "delivered"
    other = system(client="another-client")
    assert world.browser().api("GET", path, token=other).status_code == 404


@pytest.mark.req("ID-48")
@pytest.mark.parametrize(
    ("scope", "form", "words"),
    [
        ("notices notices.test", "code-granted", {"code": "ABCD-1234"}),
        ("notices", "test-notice", {"name": "示例"}),
    ],
)
def test_a_test_key_and_a_test_template_never_send(world, system, person, scope, form, words):
    before = len(rows(world, Delivery))
    sent = sends(world, system(scope), person, template=form, words=words)
    assert (sent.status_code, sent.json["test"], sent.json["sms"]) == (202, True, None)
    assert len(rows(world, Delivery)) == before
    assert rows(world, Message) == []
    assert len(rows(world, Notice)) == 1


@pytest.mark.req("ID-48")
@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"template": "nothing"}, 422, "notice-refused"),
        ({"template": "sms-code", "words": {}}, 422, "notice-refused"),
        ({"words": {}}, 422, "notice-refused"),
        ({"words": {"code": "1", "more": "2"}}, 422, "notice-refused"),
        ({"account_id": "nobody"}, 404, "notice-recipient-not-found"),
        ({"to": "legal-representative"}, 404, "notice-recipient-not-found"),
        ({"to": "everybody"}, 422, "invalid-input"),
    ],
)
def test_a_wrong_notice_is_refused(world, system, person, changes, status, code):
    answer = sends(world, system(), person, **changes)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert rows(world, Notice) == []


def test_only_a_system_with_the_scope_tells_people_something(world, system, person):
    assert sends(world, system("revocations"), person).json["code"] == "scope-missing"
    assert sends(world, None, person).status_code == 401


@pytest.mark.req("ID-48")
def test_every_text_has_one_row_per_version_and_fits_into_two_sms():
    shipped = rules.templates()
    assert len({(t.name, t.version) for t in shipped}) == len(shipped)
    for form in shipped:
        assert form.message or form.sms
        if form.sms:
            assert form.sms.startswith("【就业服务】")
            assert len(form.sms) <= 134  # two parts


@pytest.mark.req("ID-48")
def test_everything_is_marked_read_at_once(world, person):
    with world.app.database.transaction() as db:
        for _ in range(3):
            actions.tell(db, person.id, "phone-changed", {}, subject=None, now=world.clock.now())
    token, browser = world.token_of(person), world.browser()
    assert browser.api("GET", "/me/messages/unread", token=token).json == {"unread": 3}
    assert browser.api("POST", "/me/messages/read-all", token=token).json == {"unread": 0}
    page = browser.api("GET", "/me/messages", token=token).json
    assert all(m["read_at"] for m in page["items"])


@pytest.mark.req("ID-48")
def test_a_units_messages_are_read_by_whoever_acts_for_it(world, person, system, issuer):
    sends(world, system(), person)
    acting = issuer.token("unit", sub=person.id, acting="an-agent")
    page = world.browser().api("GET", "/me/messages", token=acting)
    assert [m["title"] for m in page.json["items"]] == ["授权码已生成"]
    stranger = issuer.token("unit", sub="another-unit", acting="an-agent")
    assert world.browser().api("GET", "/me/messages", token=stranger).json["items"] == []
