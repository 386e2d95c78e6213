"""A signing key that leaked: what it signed is worth nothing, and everybody is told."""

import json
from datetime import timedelta

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey

from identity.sign_in.model import SigningKey
from servicekit import history, leaked_keys
from servicekit.access_records import ReasonMissing
from servicekit.revocations import KEY, Revocations

FACT = "identity.signing-key.withdrawn.v1"


def kid_of(token):
    return jws.extract_compact(token.encode()).headers()["kid"]


def published(world):
    return {key["kid"] for key in world.browser().get("/identity/jwks.json").json["keys"]}


@pytest.fixture
def browser(world):
    return world.browser().signs_in(world.registers())


def stolen(world, kid):
    """The private half, as a thief has it."""
    with world.app.database.reading() as db:
        return ECKey.import_key(json.loads(db.get(SigningKey, kid).private.expose()))


@pytest.mark.req("ID-40", "ID-44")
def test_neither_what_it_signed_nor_what_a_thief_signs_is_believed(world, browser):
    tokens = browser.tokens()
    token, before = tokens["access_token"], published(world)
    thief = stolen(world, kid_of(token))
    claims = jwt.decode(token, thief).claims | {"exp": 9_999_999_999}
    header = {"alg": "ES256", "typ": "at+jwt", "kid": kid_of(token)}
    forged = jwt.encode(header, claims, thief)
    assert browser.api("GET", "/me", token=token).status_code == 200
    assert browser.api("GET", "/me", token=forged).status_code == 200
    leaked_keys.withdraw(world.app, kid_of(token), reason="案件 2026-17：密钥泄露")
    world.clock.advance(seconds=3)
    world.app.revocations.note(KEY, kid_of(token), at=world.clock.now())  # as the bus tells
    for worthless in (token, forged):
        assert browser.api("GET", "/me", token=worthless).status_code == 401
    assert kid_of(token) not in published(world)
    fresh = browser.refreshes(tokens["refresh_token"]).json["access_token"]
    assert kid_of(fresh) in before - {kid_of(token)}, "everybody knows the new signer already"
    assert browser.api("GET", "/me", token=fresh).status_code == 200
    assert world.app.verifier.keys.find(kid_of(token)) is None


@pytest.mark.req("ID-44", "AL-03")
def test_a_withdrawal_is_on_record_and_told(world, browser):
    kid = kid_of(browser.tokens()["access_token"])
    leaked_keys.withdraw(world.app, kid, reason="案件 2026-17：密钥泄露")
    assert (FACT, {"kid": kid}) in world.events()
    with world.app.database.reading() as db:
        assert history.verify(db) == []
        (entry,) = history.list_history(db, leaked_keys.RECORD)
    assert (entry.move, entry.before, entry.after) == ("withdraw", "active", "withdrawn")
    assert entry.note == f"{kid} 案件 2026-17：密钥泄露"
    lines = list(leaked_keys.listed(world.app))
    assert sum(line.startswith(f"{kid} ES256 withdrawn ") for line in lines) == 1
    assert len(lines) == 5  # of two algorithms a signer and the next, and the withdrawn one


@pytest.mark.req("ID-44", "AL-03")
@pytest.mark.parametrize("reason", ["", " ", "\n\u3000"])
def test_nobody_withdraws_a_key_without_saying_why(world, browser, reason):
    kid = kid_of(browser.tokens()["access_token"])
    with pytest.raises(ReasonMissing, match="原因"):
        leaked_keys.withdraw(world.app, kid, reason=reason)
    assert kid in published(world)
    with world.app.database.reading() as db:
        assert history.list_history(db, leaked_keys.RECORD) == []


@pytest.mark.req("ID-43", "ID-44")
def test_the_gateway_is_told_of_it_when_it_did_not_hear(world, browser):
    kid = kid_of(browser.tokens()["access_token"])
    since = world.clock.now() - timedelta(minutes=1)
    leaked_keys.withdraw(world.app, kid, reason="x")
    world.clock.advance(seconds=3)
    gateway = world.browser().token(grant_type="client_credentials", scope="revocations").json
    listed = (
        world.browser()
        .client.get(
            "/api/identity/v1/revocations",
            query_string={"since": since.isoformat()},
            headers={"Authorization": f"Bearer {gateway['access_token']}"},
        )
        .json
    )
    assert [each["kid"] for each in listed["keys"]] == [kid]
    assert kid not in {each["account_id"] for each in listed["accounts"]}


def test_a_leaked_key_is_not_forgotten_among_many_ends(world):
    known = Revocations(world.clock)
    known.note(KEY, "k-1", at=world.clock.now())
    world.clock.advance(days=1)
    for number in range(3_000):
        known.end_session(f"s-{number}")
    assert known.has_withdrawn("k-1")
    assert not known.has_withdrawn("k-2")
