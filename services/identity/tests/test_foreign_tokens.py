"""Tokens that are not ours, not for us, no longer good, or dressed up (RFC 8725, ID-40)."""

import base64
import hashlib
import hmac
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

STRANGE_EC = ECKey.generate_key("P-256", private=True)
STRANGE_RSA = RSAKey.generate_key(2048, private=True)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def opened(text):
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@pytest.fixture
def good(world):
    return world.token_of(world.registers())


def resigned(key, header, claims, algorithm="ES256"):
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def forgeries(good, world):
    head, body, signature = good.split(".")
    header, claims = opened(head), opened(body)
    own = world.app.extensions["identity"].provider.keys
    key = own.signer("ES256", now=world.clock.now())
    public_pem = key.as_pem(private=False)
    jwk = STRANGE_EC.as_dict(private=False)

    def ours(**changes):
        return resigned(key, header, claims | changes)

    def without(name):
        return resigned(key, header, {n: v for n, v in claims.items() if n != name})

    now = int(world.clock.now().timestamp())
    hs256 = part({"alg": "HS256", "typ": "at+jwt", "kid": header["kid"]})
    mac = hmac.new(public_pem, f"{hs256}.{body}".encode(), hashlib.sha256).digest()
    mac = base64.urlsafe_b64encode(mac).decode().rstrip("=")
    return {
        "another-level": f"{head}.{part(claims | {'acr': 'urn:gdhrss:ial:3'})}.{signature}",
        "another-subject": f"{head}.{part(claims | {'sub': 'somebody'})}.{signature}",
        "cut-signature": f"{head}.{body}.{signature[:-4]}",
        "no-signature": f"{head}.{body}.",
        "two-parts": f"{head}.{body}",
        "alg-none": f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{body}.",
        "alg-none-signed": f"{part({**header, 'alg': 'none'})}.{body}.{signature}",
        "brings-its-own-key": resigned(STRANGE_EC, {**header, "jwk": jwk}, claims),
        "own-key-no-kid": resigned(
            STRANGE_EC, {"alg": "ES256", "typ": "at+jwt", "jwk": jwk}, claims
        ),
        "hmac-with-the-public-key": f"{hs256}.{body}.{mac}",
        "hmac-with-a-guess": resigned(
            OctKey.import_key("secret" * 8), {**header, "alg": "HS256"}, claims, "HS256"
        ),
        "strange-key-our-kid": resigned(STRANGE_EC, header, claims),
        "strange-key-own-kid": resigned(STRANGE_EC, {**header, "kid": "strange"}, claims),
        "brings-its-key": f"{part({**header, 'jwk': jwk})}.{body}.{signature}",
        "points-to-a-key": f"{part({**header, 'jku': 'https://evil.example/k'})}.{body}.{signature}",
        "critical": f"{part({**header, 'crit': ['x'], 'x': 1})}.{body}.{signature}",
        "rsa-key": resigned(STRANGE_RSA, {**header, "alg": "RS256"}, claims, "RS256"),
        "wrong-type": resigned(key, {**header, "typ": "JWT"}, claims),
        "logout-type": resigned(key, {**header, "typ": "logout+jwt"}, claims),
        "another-issuer": ours(iss="https://evil.example/identity"),
        "another-audience": ours(aud="urn:other:api"),
        "no-audience": without("aud"),
        "no-expiry": without("exp"),
        "no-issuer": without("iss"),
        "expired": ours(exp=now - 1, iat=now - 301),
        "expiry-as-text": ours(exp="9999999999"),
        "garbage": "garbage",
        "empty": " ",
    }


NAMES = (
    "another-audience another-issuer another-level another-subject alg-none alg-none-signed "
    "brings-its-key brings-its-own-key critical cut-signature empty expired expiry-as-text "
    "garbage hmac-with-a-guess hmac-with-the-public-key logout-type no-audience no-expiry "
    "no-issuer no-signature own-key-no-kid points-to-a-key rsa-key strange-key-our-kid "
    "strange-key-own-kid two-parts wrong-type"
)


@pytest.mark.req("ID-40")
def test_no_forgery_opens_the_api_or_userinfo(world, good):
    browser = world.browser()
    made = forgeries(good, world)
    assert sorted(made) == sorted(NAMES.split())
    opened_by = {
        name
        for name, token in made.items()
        if browser.api("GET", "/me", token=token).status_code != 401
        or browser.get(
            "/identity/userinfo", headers={"Authorization": f"Bearer {token}"}
        ).status_code
        != 401
    }
    assert opened_by == set()
    assert browser.api("GET", "/me", token=good).status_code == 200


@pytest.mark.req("ID-40")
def test_an_id_token_is_no_access_token_and_an_access_token_no_hint(world):
    browser = world.browser().signs_in(world.registers())
    tokens = browser.tokens()
    assert browser.api("GET", "/me", token=tokens["id_token"]).status_code == 401
    bearer = {"Authorization": f"Bearer {tokens['id_token']}"}
    assert browser.get("/identity/userinfo", headers=bearer).status_code == 401
    hint = f"/identity/logout?id_token_hint={tokens['access_token']}&client_id=jiuye-gateway"
    assert browser.get(hint).status_code == 400


@pytest.mark.req("ID-40")
def test_a_token_is_taken_from_the_header_only(world, good):
    browser = world.browser()
    assert browser.get(f"/identity/userinfo?access_token={good}").status_code == 401
    assert browser.post("/identity/userinfo", {"access_token": good}).status_code == 401
    basic = {"Authorization": f"Basic {good}"}
    assert browser.get("/identity/userinfo", headers=basic).status_code == 401


@pytest.mark.req("ID-40")
def test_an_access_token_lives_five_minutes(world, good):
    world.clock.advance(seconds=299)
    assert world.browser().api("GET", "/me", token=good).status_code == 200
    world.clock.advance(seconds=1)
    answer = world.browser().api("GET", "/me", token=good)
    assert (answer.status_code, answer.json["code"]) == (401, "invalid-token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
