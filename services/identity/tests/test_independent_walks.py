"""Clients we did not write: npm's certified openid-client, oauthlib's, and requests by hand."""

import dataclasses
import json
import re
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from flask import Flask, request
from joserfc import jwt
from joserfc.jwk import KeySet
from requests_oauthlib import OAuth2Session

from identity.app import create_app
from identity.jobs import JOBS
from identity.sign_in import clients
from servicekit.clock import SystemClock
from servicekit.jobs import JobContext
from servicekit.testing.node import NODE, unpacked
from servicekit.testing.serving import served

HERE = Path(__file__).parent / "node"


@pytest.fixture
def provider(settings):
    """identity where it says it is, by the real clock: clients have their own."""
    holder = {}

    def wsgi(environ, start_response):
        return holder["app"](environ, start_response)

    with served(wsgi) as url:
        app = holder["app"] = create_app(
            dataclasses.replace(settings, public_url=url), clock=SystemClock()
        )
        with app.database.transaction() as db:
            clients.write_own(db, app.settings, now=app.clock.now())
        yield SimpleNamespace(url=url, issuer=f"{url}/identity", app=app)
        app.extensions["identity"].counts.database.close()
        app.database.close()


@pytest.fixture(scope="session")
def modules():
    """openid-client as the lock file has it."""
    return unpacked(HERE)


def walks(provider, world, person, address):
    """A browser from the client's address to its callback, through login and consent."""
    browser = world.browser()
    browser.client = provider.app.test_client()
    path = address.removeprefix(provider.url)
    answer = browser.get(browser.logs_in(person, browser.get(path).location).location)
    if "/identity/consent" in answer.location:
        answer = browser.get(browser.fills(answer.location, decision="allow").location)
    return browser, answer.location


KINDS = {
    "secret": {},
    "secret and ES256": {"id_token_alg": "ES256"},
    "private_key_jwt, PAR and DPoP": {
        "auth_method": "private_key_jwt",
        "requires_par": True,
        "requires_dpop": True,
    },
    "public with DPoP": {"auth_method": "none", "requires_dpop": True},
}


@pytest.mark.req("ID-40", "ID-47")
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_certified_client_goes_the_whole_way(world, provider, partner, modules, kind):
    person = world.registers()
    back = f"{provider.url}/callback"
    system = partner(
        redirect_uris=(back,),
        post_logout_redirect_uris=(f"{provider.url}/bye",),
        sector="service.example",
        **KINDS[kind],
    )
    task = {
        "issuer": provider.issuer,
        "client_id": system.id,
        "secret": system.secret or None,
        "key": system.signing.as_dict(private=True) if "jwt" in kind else None,
        "algorithm": KINDS[kind].get("id_token_alg", "RS256"),
        "redirect_uri": back,
        "after_logout": f"{provider.url}/bye",
        "par": "PAR" in kind,
        "dpop": "DPoP" in kind,
    }
    with subprocess.Popen(
        [NODE, "client.mjs"],
        cwd=modules,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as node:

        def tells(what):
            node.stdin.write(json.dumps(what) + "\n")
            node.stdin.flush()
            line = node.stdout.readline()
            assert line, node.stderr.read()
            return json.loads(line)

        address = tells(task)["address"]
        assert ("request_uri" in address) is task["par"]
        browser, callback = walks(provider, world, person, address)
        got = tells({"callback": callback})
        node.stdin.close()
        assert node.wait(timeout=20) == 0, node.stderr.read()
    assert got["name"] == person.name
    assert got["claims"]["acr"] == "urn:gdhrss:ial:1"
    assert got["claims"]["sub"] == got["again"] != person.id
    assert got["rotated"] is True
    assert got["type"].lower() == ("dpop" if task["dpop"] else "bearer")
    assert got["active"] in ([True, False], [None, None])
    left = browser.get(got["logout"].removeprefix(provider.url))
    assert left.location == f"{provider.url}/bye?state=bye"
    assert browser.get(address.removeprefix(provider.url)).location != callback


@pytest.mark.req("ID-40")
def test_oauthlibs_client_goes_the_whole_way(world, provider, partner, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the provider listens on loopback
    person = world.registers()
    back = f"{provider.url}/callback"
    system = partner(redirect_uris=(back,), sector="service.example")
    found = requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=10).json()
    with OAuth2Session(
        system.id, redirect_uri=back, scope=["openid", "profile"], pkce="S256"
    ) as client:
        address, _ = client.authorization_url(found["authorization_endpoint"], nonce="a-nonce")
        _, callback = walks(provider, world, person, address)
        token = client.fetch_token(
            found["token_endpoint"], authorization_response=callback, client_secret=system.secret
        )
        assert client.get(found["userinfo_endpoint"]).json()["name"] == person.name
        fresh = client.refresh_token(
            found["token_endpoint"],
            auth=requests.auth.HTTPBasicAuth(system.id, system.secret),
        )
        assert fresh["refresh_token"] != token["refresh_token"]
        assert client.get(found["userinfo_endpoint"]).status_code == 200


@pytest.mark.req("ID-40", "ID-43")
def test_a_plain_walk_with_a_receiver_that_hears_the_logout(world, provider, partner):
    person = world.registers()
    heard = []
    receiver = Flask("receiver")

    @receiver.post("/out")
    def out():
        heard.append(request.form["logout_token"])
        return ""

    with served(receiver) as listens, requests.Session() as browser:
        back = f"{provider.url}/callback"
        system = partner(
            redirect_uris=(back,),
            sector="service.example",
            backchannel_logout_uri=f"{listens}/out",
        )
        kept = {}

        def goes(method, address, **more):
            # Browsers trust loopback like TLS; requests must be told to send secure cookies there.
            words = {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
            answer = browser.request(
                method, address, headers=words, allow_redirects=False, timeout=10, **more
            )
            kept.update(answer.cookies.get_dict())
            return answer

        def opens(address):
            return goes("GET", address)

        def sends(page, **values):
            hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
            form = {name: value.replace("&amp;", "&") for name, value in hidden} | values
            action = re.search(r'<form method="post" action="([^"]+)"', page.text)[1]
            sent = goes("POST", provider.url + action, data=form)
            assert sent.status_code == 303, (sent.status_code, sent.text)
            return opens(urljoin(provider.url, sent.headers["Location"]))

        asked = (
            requests.Request(
                "GET", f"{provider.issuer}/authorize", params=system.asks(redirect_uri=back)
            )
            .prepare()
            .url
        )
        login = opens(urljoin(provider.url, opens(asked).headers["Location"]))
        answer = sends(login, login_name=person.login_name, password=person.password)
        consent = opens(urljoin(provider.url, answer.headers["Location"]))
        answer = sends(consent, decision="allow")
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        own = (system.id, system.secret)

        def posts(path, **form):
            return requests.post(f"{provider.issuer}/{path}", form, auth=own, timeout=10)

        got = posts(
            "token",
            grant_type="authorization_code",
            code=code,
            redirect_uri=back,
            code_verifier="v" * 43,
        ).json()
        fresh = posts(
            "token", grant_type="refresh_token", refresh_token=got["refresh_token"]
        ).json()
        assert posts("introspect", token=fresh["access_token"]).json()["active"] is True
        bye = opens(f"{provider.issuer}/logout?id_token_hint={fresh['id_token']}")
        assert "您已安全退出" in bye.text
        assert posts("introspect", token=fresh["access_token"]).json() == {"active": False}
        run(provider.app, "send-logout-tokens")
        keys = KeySet.import_key_set(
            requests.get(f"{provider.issuer}/jwks.json", timeout=10).json()
        )
        told = jwt.decode(heard[0], keys, algorithms=["RS256"]).claims
        named = jwt.decode(got["id_token"], keys, algorithms=["RS256"]).claims
        assert (told["sub"], told["sid"]) == (named["sub"], named["sid"])


def run(app, name):
    work = next(job.work for job in JOBS if job.name == name)
    work(JobContext("identity", app.database, app.clock, app.settings, threading.Event()))
