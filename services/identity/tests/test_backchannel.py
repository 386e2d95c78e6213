"""Back-channel logout: told from a queue, never in the request, again until it arrives."""

import threading
from types import SimpleNamespace

import pytest
from flask import Flask, request
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select

from identity.sign_in.client_model import LogoutNotice
from servicekit.testing.serving import served


@pytest.fixture
def receiver():
    """Another system's address for logout tokens; it answers what it is told to."""
    app = Flask("receiver")
    heard = SimpleNamespace(tokens=[], status=200)

    @app.post("/out")
    def out():
        heard.tokens.append(request.form["logout_token"])
        return ("", heard.status)

    with served(app) as url:
        heard.url = f"{url}/out"
        yield heard


@pytest.fixture
def person(world):
    return world.registers()


def leaves(world, system, person):
    """Sign in, use the system, sign out at the gateway's."""
    tokens = system.browser.signs_in(person).tokens()
    used = system.exchanges(system.code()).json
    system.browser.get(f"/identity/logout?id_token_hint={tokens['id_token']}")
    return used


def notices(world):
    with world.app.database.reading() as db:
        return db.scalars(select(LogoutNotice)).all()


def claims_of(world, text):
    keys = KeySet.import_key_set(world.browser().get("/identity/jwks.json").json)
    return jwt.decode(text, keys, algorithms=["RS256", "ES256"])


@pytest.mark.req("ID-40", "ID-43")
def test_a_system_hears_of_the_logout_of_whoever_used_it(world, person, partner, receiver):
    system = partner(backchannel_logout_uri=receiver.url)
    partner(backchannel_logout_uri=receiver.url)  # nobody used this one
    used = leaves(world, system, person)
    assert receiver.tokens == []  # the request did not wait for anybody
    world.job("send-logout-tokens")
    (text,) = receiver.tokens
    token, identity = claims_of(world, text), claims_of(world, used["id_token"]).claims
    assert token.header["typ"] == "logout+jwt"
    assert token.claims["iss"] == "http://127.0.0.1:8080/identity"
    assert token.claims["aud"] == system.id
    assert (token.claims["sub"], token.claims["sid"]) == (identity["sub"], identity["sid"])
    assert token.claims["exp"] - token.claims["iat"] == 120
    assert token.claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in token.claims
    assert token.claims["jti"]
    world.job("send-logout-tokens")
    assert len(receiver.tokens) == 1
    assert [(n.result, n.tries) for n in notices(world)] == [("delivered", 1)]


@pytest.mark.req("ID-40")
def test_a_system_that_is_down_is_told_later_each_time_twice_as_late(
    world, person, partner, receiver
):
    receiver.status = 500
    leaves(world, partner(backchannel_logout_uri=receiver.url), person)
    world.job("send-logout-tokens")
    (waiting,) = notices(world)
    assert (waiting.result, waiting.finished_at) == ("unreachable", None)
    for wait, tries in ((4, 1), (1, 2), (9, 2), (1, 3)):
        world.clock.advance(seconds=wait)
        world.job("send-logout-tokens")
        assert len(receiver.tokens) == tries
    receiver.status = 204
    world.clock.advance(minutes=1)
    world.job("send-logout-tokens")
    assert notices(world)[0].result == "delivered"
    fresh = [claims_of(world, text).claims["iat"] for text in receiver.tokens]
    assert len(set(fresh)) == len(fresh)  # each token is made when it is sent


@pytest.mark.req("ID-40")
def test_a_no_is_a_no_and_ten_failures_are_enough(world, person, partner, receiver):
    receiver.status = 400
    leaves(world, partner(backchannel_logout_uri=receiver.url), person)
    world.job("send-logout-tokens")
    (refused,) = notices(world)
    assert (refused.result, refused.finished_at is None) == ("refused-400", False)
    leaves(world, partner(backchannel_logout_uri="http://127.0.0.1:9/out"), person)
    for _ in range(12):
        world.job("send-logout-tokens")
        world.clock.advance(hours=2)
    given_up = next(n for n in notices(world) if n.id != refused.id)
    assert (given_up.result, given_up.tries) == ("unreachable", 10)
    assert given_up.finished_at is not None
    world.clock.advance(days=31)
    world.job("forget-old-tokens")
    assert notices(world) == []


@pytest.mark.req("ID-40")
def test_a_system_suspended_since_is_told_nothing(world, person, partner, receiver):
    system = partner(backchannel_logout_uri=receiver.url)
    leaves(world, system, person)
    admin = world.token_of(world.officer("admin", region="44"))
    world.browser().api("POST", f"/clients/{system.id}/suspend", token=admin)
    world.job("send-logout-tokens")
    assert receiver.tokens == []
    assert notices(world)[0].result == "no-longer-wanted"


@pytest.mark.req("ID-40", "ID-43")
def test_two_workers_tell_once(world, person, partner, receiver):
    leaves(world, partner(backchannel_logout_uri=receiver.url), person)
    threads = [threading.Thread(target=world.job, args=("send-logout-tokens",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.tokens) == 1
