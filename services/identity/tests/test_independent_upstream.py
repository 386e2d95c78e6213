"""Our client of the province against a certified provider we did not write: npm's oidc-provider."""

import re
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests

from identity.adapters.proofing import Failed, Verified, Wish
from identity.adapters.province import Province
from servicekit.client import Client
from servicekit.clock import SystemClock
from servicekit.testing.node import NODE, unpacked

HERE = Path(__file__).parent / "upstream"
BACK = "http://127.0.0.1:8080/identity/province/callback"
SECRET = "a-secret-of-thirty-two-characters"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def modules():
    """oidc-provider as the lock file has it."""
    return unpacked(HERE)


@pytest.fixture(scope="module")
def issuer(modules):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [NODE, "provider.mjs", str(port), BACK, SECRET]
    process = subprocess.Popen(
        command, cwd=modules, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert any("listening" in line for line in iter(process.stdout.readline, ""))
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)
    process.stdout.close()


def province(issuer, **changes):
    known = {"client_id": "jiuye", "client_secret": SECRET} | changes
    return Province(Client(issuer, timeout=10.0), issuer, clock=SystemClock(), **known)


def walks(address, login):
    """A browser through the provider's own pages, to what it brings back to us."""
    browser = requests.Session()
    answer = browser.get(address, allow_redirects=False)
    for _ in range(12):
        if answer.is_redirect:
            where = urljoin(answer.url, answer.headers["Location"])
            if where.startswith(BACK):
                return {n: v[0] for n, v in parse_qs(urlsplit(where).query).items()}
            answer = browser.get(where, allow_redirects=False)
            continue
        form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', answer.text))
        action = re.search(r'action="([^"]+)"', answer.text)[1]
        form |= {"login": login, "password": "x"} if "login" in answer.text else {}
        answer = browser.post(urljoin(answer.url, action), data=form, allow_redirects=False)
    raise AssertionError(answer.text)


@pytest.mark.req("ID-29", "ID-09")
@pytest.mark.slow
def test_our_client_gets_along_with_a_provider_of_others(issuer):
    upstream = province(issuer)
    started = upstream.start(Wish("", back=BACK), now=NOW)
    given = walks(started.shown, "person")
    outcome = upstream.advance(started.handle, given, now=NOW)
    assert isinstance(outcome, Verified), outcome
    proof = outcome.proof
    assert (proof.kind, proof.level, proof.name) == ("person", 4, "林小满")
    again = upstream.advance(started.handle, given, now=NOW)
    assert isinstance(again, Failed)  # a code is spent once
    assert upstream.health()


@pytest.mark.req("ID-29")
@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"state": "x"}, {"iss": "https://evil.example"}, {"code": "x"}, {"iss": None}]
)
def test_what_does_not_fit_is_refused(issuer, change):
    upstream = province(issuer)
    started = upstream.start(Wish("", back=BACK), now=NOW)
    given = walks(started.shown, "person") | change
    given = {name: value for name, value in given.items() if value is not None}
    assert upstream.advance(started.handle, given, now=NOW).code == "mixed-up"


@pytest.mark.req("ID-29")
@pytest.mark.slow
def test_an_answer_to_another_question_is_refused(issuer):
    upstream = province(issuer)
    mine, other = (upstream.start(Wish("", back=BACK), now=NOW) for _ in range(2))
    given = walks(other.shown, "person") | {"state": mine.handle["state"]}
    assert upstream.advance(mine.handle, given, now=NOW).code == "mixed-up"  # PKCE and nonce
    nonce = {**other.handle, "nonce": mine.handle["nonce"]}
    given = walks(other.shown, "person")
    assert upstream.advance(nonce, given, now=NOW).code == "mixed-up"
    odd = upstream.start(Wish("", back=BACK), now=NOW)
    given = walks(odd.shown, "odd")
    assert upstream.advance(odd.handle, given, now=NOW).code == "unusable"
