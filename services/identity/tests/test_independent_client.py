"""A client we did not write: Authlib's over real HTTP: code flow, refresh, revocation, logout."""

import dataclasses
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

from identity.app import create_app
from identity.sign_in import clients
from servicekit.testing.serving import served


@pytest.fixture
def provider(settings, clock):
    """identity on a port of its own; its public address is where it really is."""
    holder = {}

    def wsgi(environ, start_response):
        return holder["app"](environ, start_response)

    with served(wsgi) as url:
        app = holder["app"] = create_app(dataclasses.replace(settings, public_url=url), clock=clock)
        with app.database.transaction() as db:
            clients.write_gateway(db, app.settings, now=clock.now())
        yield SimpleNamespace(url=url, app=app)
    app.extensions["identity"].counts.database.close()
    app.database.close()


def signs_in(browser, url, who):
    """Follow to the login page, fill it in, and stop at the client's callback."""
    path = url.partition("/identity/")[2]
    login = browser.get(f"/identity/{path}").location
    back = browser.logs_in(who, login).location
    return browser.get(back).location


@pytest.mark.req("ID-40")
def test_authlibs_client_goes_the_whole_way(world, provider, tell):
    person = world.registers()
    found = requests.get(
        f"{provider.url}/identity/.well-known/openid-configuration", timeout=10
    ).json()
    browser = world.browser()
    browser.client = provider.app.test_client()
    with OAuth2Session(
        "jiuye-gateway",
        tell.SECRET,
        scope="openid profile real_name",
        redirect_uri=f"{provider.url}/sso/callback",
        code_challenge_method="S256",
    ) as client:
        url, state = client.create_authorization_url(
            found["authorization_endpoint"], code_verifier="v" * 50, nonce="a-nonce"
        )
        callback = signs_in(browser, url, person)
        assert parse_qs(urlsplit(callback).query)["iss"] == [found["issuer"]]
        token = client.fetch_token(
            found["token_endpoint"],
            authorization_response=callback,
            state=state,
            code_verifier="v" * 50,
        )
        keys = KeySet.import_key_set(requests.get(found["jwks_uri"], timeout=10).json())
        said = jwt.decode(token["id_token"], keys, algorithms=["ES256"]).claims
        assert (said["iss"], said["aud"]) == (found["issuer"], "jiuye-gateway")
        assert (said["sub"], said["nonce"]) == (person.id, "a-nonce")
        assert client.get(found["userinfo_endpoint"]).json()["sub"] == person.id
        fresh = client.refresh_token(found["token_endpoint"], token["refresh_token"])
        assert fresh["refresh_token"] != token["refresh_token"]
        revoked = client.revoke_token(found["revocation_endpoint"], fresh["refresh_token"])
        assert revoked.status_code == 200
        left = browser.get(f"/identity/logout?id_token_hint={token['id_token']}")
        assert "您已安全退出" in left.text
        assert client.get(found["userinfo_endpoint"]).status_code == 401
