"""A good token may not be good enough: audience, kind, level, and the key it is bound to."""

from __future__ import annotations

import base64
import hashlib
import secrets

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from frontdoor.testing.provider import Provider, new_key
from frontdoor.testing.service import Service

LOCATIONS = """
    auth_jwt jiuye;
    location /api/ { proxy_pass http://service; }
    location /other/ { auth_jwt_audience urn:other; proxy_pass http://service; }
    location /persons/ { auth_jwt_kind person officer; proxy_pass http://service; }
    location /two/ { auth_jwt_level urn:gdhrss:ial:2 urn:gdprov:ial:4; proxy_pass http://service; }
"""


@pytest.fixture
def world(start):
    provider, service = Provider(), Service()
    identity = provider.service()
    gateway = start(LOCATIONS, {"identity": identity, "service": service}, identity=identity)
    provider.issuer = f"{gateway.public_url}/identity"
    provider.wall = gateway.clock.wall
    return gateway, provider, service


UNIT = {"sub_type": "unit", "acr": "urn:gdprov:ial:4"}
CASES = [
    ("/api/", {}, 200, ""),
    ("/api/", {"aud": ["urn:x", "urn:jiuye:api"]}, 200, ""),
    ("/api/", {"aud": "urn:other"}, 401, "invalid-token"),
    ("/other/", {"aud": "urn:other"}, 200, ""),
    ("/other/", {}, 401, "invalid-token"),
    ("/persons/", {}, 200, ""),
    ("/persons/", {"sub_type": "officer", "acr": "urn:gdhrss:aal:2"}, 200, ""),
    ("/persons/", UNIT, 403, "kind-not-admitted"),
    ("/persons/", {"sub_type": None}, 403, "kind-not-admitted"),
    ("/two/", {}, 200, ""),
    ("/two/", {"acr": "urn:gdhrss:ial:3"}, 200, ""),
    ("/two/", {"acr": "urn:gdhrss:ial:1"}, 401, "level-too-low"),
    ("/two/", UNIT, 200, ""),
    ("/two/", UNIT | {"acr": "urn:gdprov:ial:3"}, 401, "level-too-low"),
    ("/two/", {"acr": "urn:gdhrss:aal:2"}, 401, "level-too-low"),
    ("/two/", {"acr": "urn:gdhrss:ial:10"}, 200, ""),
    ("/two/", {"acr": None}, 401, "level-too-low"),
    ("/two/", {"acr": "3"}, 401, "level-too-low"),
]


@pytest.mark.req("GW-02")
def test_locations_say_for_whom_of_what_kind_and_level_a_token_must_be(world) -> None:
    gateway, provider, _ = world
    for path, claims, status, code in CASES:
        fields = {"Authorization": f"Bearer {provider.token(**claims)}"}
        for _ in range(2):  # from the cache too
            got = gateway.ask(path, fields=fields)
            assert got.status == status, (path, claims)
            assert not code or orjson.loads(got.body)["code"] == code
    wanted = 'error="insufficient_user_authentication", acr_values="urn:gdhrss:ial:2 urn:gdprov'
    low = {"Authorization": f"Bearer {provider.token(acr='urn:gdhrss:ial:1')}"}
    assert wanted in gateway.ask("/two/", fields=low).one("www-authenticate")


def proof(key: ECKey, token: str, url: str, now: float, header=(), **changes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest())
    claims = {
        "htm": "GET", "htu": url, "ath": digest.decode().rstrip("="), "iat": int(now),
        "jti": secrets.token_hex(8),
    }  # fmt: skip
    jwk = {k: v for k, v in key.as_dict(private=False).items() if k in ("kty", "crv", "x", "y")}
    found = {"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk} | dict(header)
    return jwt.encode(found, claims | changes, key)


@pytest.mark.req("GW-02")
def test_a_token_bound_to_a_key_needs_a_fresh_proof_for_each_request(world) -> None:
    gateway, provider, service = world
    key, stranger = new_key("dpop"), new_key("other")
    token = provider.token(cnf={"jkt": key.thumbprint()})
    url, now = f"{gateway.public_url}/api/x", gateway.clock.wall()

    def ask(text: str | None, scheme: str = "DPoP"):
        fields = {"Authorization": f"{scheme} {token}"} | ({"DPoP": text} if text else {})
        return gateway.ask("/api/x?q=1", fields=fields)

    good = proof(key, token, url, now)
    assert ask(good).status == 200
    assert service.received[-1].one("authorization") == f"Bearer {token}"
    again = ask(good)
    assert (again.status, orjson.loads(again.body)["code"]) == (401, "invalid-dpop-proof")
    assert ask(proof(key, token, url, now)).status == 200
    assert ask(proof(key, token, url, now), "Bearer").status == 401
    for wrong in (
        None,
        "x.y.z",
        proof(stranger, token, url, now),
        proof(key, token, url, now - 100),
        proof(key, token, url, now + 100),
        proof(key, token, url + "x", now),
        proof(key, token, url, now, htm="POST"),
        proof(key, token, url, now, ath="x"),
        proof(key, token, url, now, header={"typ": "JWT"}),
        proof(key, token, url, now, header={"jwk": {"kty": "oct", "k": "AA"}}),
        proof(key, token, url, now, header={"jwk": key.as_dict(private=True)}),
        proof(key, token, url, now) + "A" * 5000,
    ):
        assert ask(wrong).status == 401, wrong
    assert len(service.received) == 2


def test_a_token_bound_to_nothing_needs_no_proof_and_one_bound_otherwise_is_refused(world) -> None:
    gateway, provider, _ = world
    plain = {"Authorization": f"DPoP {provider.token()}"}
    assert gateway.ask("/api/", fields=plain).status == 401
    for cnf in ({"x5t#S256": "a"}, {"jkt": 1}, {}, {"jkt": "a", "kid": "b"}):
        fields = {"Authorization": f"DPoP {provider.token(cnf=cnf)}"}
        assert gateway.ask("/api/", fields=fields).status == 401
