"""Refresh tokens: one conditional update, a grace for lost answers, reuse ends the family."""

import pytest
from sqlalchemy import select

from identity.sign_in.model import RefreshToken


@pytest.fixture
def browser(world):
    return world.browser().signs_in(world.registers())


def ended(world):
    return [kind for kind, _ in world.events() if kind == "identity.session.ended.v1"]


@pytest.mark.req("ID-40")
def test_each_refresh_gives_a_new_token_of_the_same_family(world, browser):
    first = browser.tokens()["refresh_token"]
    second = browser.refreshes(first).json["refresh_token"]
    third = browser.refreshes(second).json["refresh_token"]
    assert len({first, second, third}) == 3
    with world.app.database.reading() as db:
        rows = db.scalars(select(RefreshToken)).all()
    assert len({row.family_id for row in rows}) == 1
    assert [row.used_at is None for row in rows].count(True) == 1


@pytest.mark.req("ID-40")
def test_a_lost_answer_is_given_again_within_thirty_seconds(world, browser):
    first = browser.tokens()["refresh_token"]
    answer = browser.refreshes(first).json["refresh_token"]
    world.clock.advance(seconds=30)
    assert browser.refreshes(first).json["refresh_token"] == answer
    assert browser.refreshes(answer).status_code == 200
    assert ended(world) == []


@pytest.mark.req("ID-40", "ID-43")
def test_reuse_after_the_grace_ends_family_and_session(world, browser):
    first = browser.tokens()["refresh_token"]
    second = browser.refreshes(first).json
    world.clock.advance(seconds=31)
    reused = browser.refreshes(first)
    assert (reused.status_code, reused.json["error"]) == (400, "invalid_grant")
    assert browser.refreshes(second["refresh_token"]).json["error"] == "invalid_grant"
    assert ended(world) == ["identity.session.ended.v1"]
    assert browser.authorize().location.startswith("/identity/login")
    assert browser.api("GET", "/me", token=second["access_token"]).status_code == 401


@pytest.mark.req("ID-40")
@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"refresh_token": "nothing-like-it"}, "invalid_grant"),
        ({"refresh_token": None}, "invalid_request"),
        ({"scope": "openid profile phone admin"}, "invalid_scope"),
    ],
)
def test_bad_refreshes_use_nothing_up(browser, form, error):
    token = browser.tokens(scope="openid profile phone")["refresh_token"]
    sent = {"grant_type": "refresh_token", "refresh_token": token} | form
    answer = browser.token(**{name: value for name, value in sent.items() if value})
    assert (answer.status_code, answer.json["error"]) == (400, error)
    assert browser.refreshes(token).status_code == 200


@pytest.mark.req("ID-40")
def test_a_narrower_scope_holds_for_one_access_token_only(browser):
    token = browser.tokens(scope="openid profile phone")["refresh_token"]
    narrow = browser.refreshes(token, scope="openid").json
    assert narrow["scope"] == "openid"
    bearer = {"Authorization": f"Bearer {narrow['access_token']}"}
    assert set(browser.get("/identity/userinfo", headers=bearer).json) == {"sub", "acr"}
    assert browser.refreshes(narrow["refresh_token"]).json["scope"] == "openid profile phone"


@pytest.mark.req("ID-40")
def test_another_clients_refresh_token_is_worth_nothing(world, browser):
    from identity.sign_in import rules
    from identity.sign_in.client_model import Client

    token = browser.tokens()["refresh_token"]
    with world.app.database.transaction() as db:
        db.add(
            Client(
                client_id="other",
                name="另一个系统",
                secret_hash=rules.hash_secret("other-secret"),
                redirect_uris=[],
                post_logout_redirect_uris=[],
                scopes=["openid"],
                grant_types=["refresh_token", "authorization_code"],
                auth_methods=["client_secret_basic"],
                id_token_alg="ES256",
                created_at=world.clock.now(),
            )
        )
    code = browser.code()
    foreign = browser.refreshes(token, client_id="other", secret="other-secret")
    assert foreign.json["error"] == "invalid_grant"
    stolen = browser.token(
        client_id="other",
        secret="other-secret",
        grant_type="authorization_code",
        code=code,
        redirect_uri="http://127.0.0.1:8080/sso/callback",
        code_verifier="v" * 43,
    )
    assert stolen.json["error"] == "invalid_grant"
    assert browser.refreshes(token).status_code == 200
    assert browser.exchanges(code).status_code == 200


def test_no_token_and_no_code_lies_in_the_database_in_clear(world, browser):
    code = browser.code()
    tokens = browser.exchanges(code).json
    second = browser.refreshes(tokens["refresh_token"]).json["refresh_token"]
    with world.app.database.reading() as db:
        for table in ("authorization_code", "refresh_token", "sign_in_session", "signing_key"):
            rows = db.connection().exec_driver_sql(f"SELECT t::text FROM {table} t")
            kept = "\n".join(row[0] for row in rows)
            for secret in (code, tokens["refresh_token"], second, '"d"'):
                assert secret not in kept
