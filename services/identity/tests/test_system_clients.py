"""Programs that ask on nobody's behalf: client credentials, scopes, revocations."""

from datetime import timedelta

import pytest

from identity.sign_in import clients
from servicekit.client import OutsideUnavailable
from servicekit.service_token import ServiceToken
from servicekit.testing.serving import served

SECRET = "an-employer-auth-secret-for-tests"


def asks(world, client_id=clients.EMPLOYER_AUTH, secret=SECRET, **form):
    sent = {"grant_type": "client_credentials"} | form
    return world.browser().token(client_id=client_id, secret=secret, **sent)


def since(world, token, minutes=10):
    then = (world.clock.now() - timedelta(minutes=minutes)).isoformat()
    return world.browser().client.get(
        "/api/identity/v1/revocations",
        query_string={"since": then},
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )


@pytest.mark.req("ID-40")
def test_a_program_gets_a_token_of_its_own_with_its_scopes(world):
    answer = asks(world)
    assert answer.status_code == 200
    assert answer.json["scope"] == "accounts.match notices revocations snapshots"
    assert answer.json["token_type"] == "Bearer"
    assert "refresh_token" not in answer.json
    assert answer.headers["Cache-Control"] == "no-store"
    own = world.app.extensions["identity"].provider
    claims = world.app.verifier.verify(answer.json["access_token"])
    assert (claims.kind, claims.actor.id) == ("system", "jiuye-employer-auth")
    assert claims.client_id == "jiuye-employer-auth"
    assert own.issuer.endswith("/identity")
    narrow = asks(world, scope="revocations").json
    assert narrow["scope"] == "revocations"


@pytest.mark.req("ID-40")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"secret": "wrong"}, (401, "invalid_client")),
        ({"client_id": "nobody"}, (401, "invalid_client")),
        ({"scope": "openid"}, (400, "invalid_scope")),
        ({"scope": "notices everything"}, (400, "invalid_scope")),
        ({"grant_type": "authorization_code"}, (400, "unauthorized_client")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
    ],
)
def test_what_a_program_may_not_have(world, changes, expected):
    answer = asks(world, **changes)
    assert (answer.status_code, answer.json["error"]) == expected


@pytest.mark.req("ID-43")
def test_ended_sessions_and_closed_accounts_are_listed_for_who_was_not_listening(world):
    person, other = world.registers(), world.registers()
    browser = world.browser().signs_in(person)
    session = browser.tokens()
    world.clock.advance(minutes=1)
    gone = world.app.verifier.verify(session["access_token"]).session_id
    world.browser().get(f"/identity/logout?id_token_hint={session['id_token']}")
    admin = world.token_of(world.officer("admin", region="44"))
    why = {"reason": "本人申报账号被盗"}
    locked = browser.api("POST", f"/accounts/{other.id}/lock", why, token=admin)
    assert locked.status_code == 200
    token = asks(world, scope="revocations").json["access_token"]
    listed = since(world, token).json
    assert gone in {each["session_id"] for each in listed["sessions"]}
    assert [each["account_id"] for each in listed["accounts"]] == [other.id]
    assert listed["now"]
    world.clock.advance(minutes=4)
    assert since(world, token, minutes=2).json["sessions"] == []


@pytest.mark.req("ID-43")
def test_revocations_are_for_programs_with_that_scope(world):
    person = world.token_of(world.registers())
    assert since(world, None).status_code == 401
    assert since(world, person).status_code == 403
    notices = asks(world, scope="notices").json["access_token"]
    assert since(world, notices).status_code == 403
    assert since(world, notices).json["code"] == "scope-missing"
    gateway = asks(world, client_id="jiuye-gateway", secret="a-gateway-secret-for-tests-only")
    assert gateway.json["scope"] == "revocations"
    assert since(world, gateway.json["access_token"]).status_code == 200


@pytest.mark.req("ID-40")
def test_nobody_gets_a_systems_scope_by_logging_in(world, tell):
    refused = world.browser().signs_in(world.registers()).authorize(scope="openid revocations")
    assert tell.query(refused.location)["error"] == "invalid_scope"


@pytest.fixture
def identity_url(app):
    with served(app) as url:
        yield url


def test_the_kit_fetches_a_token_once_and_again_when_it_runs_out(world, identity_url):
    made = ServiceToken(
        identity_url, client_id=clients.EMPLOYER_AUTH, secret=SECRET, clock=world.clock
    )
    first = made.get()
    assert made.get() == first
    assert made.headers() == {"Authorization": f"Bearer {first}"}
    world.clock.advance(seconds=241)
    second = made.get()
    assert second != first
    made.forget()
    assert made.get() not in (first, second)


def test_a_client_identity_does_not_know_is_an_outage(world, identity_url):
    made = ServiceToken(identity_url, client_id="nobody", secret="wrong", clock=world.clock)
    with pytest.raises(OutsideUnavailable):
        made.get()
