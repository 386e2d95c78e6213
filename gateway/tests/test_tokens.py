"""Only a valid token of identity's passes where one is needed (GW-02, S4)."""

from __future__ import annotations

import base64
import hmac

import orjson
import pytest
from joserfc.jwk import RSAKey

from frontdoor.testing.provider import LIN, SESSION, new_key
from frontdoor.testing.running import Answer


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ask(suite, token: str, path: str = "/api/x") -> Answer:
    return suite.gateway.ask(path, fields=bearer(token))


def refused(answer: Answer) -> None:
    """401, as RFC 6750 wants it."""
    assert answer.status == 401, answer
    assert answer.one("www-authenticate") == 'Bearer realm="jiuye", error="invalid_token"'
    assert orjson.loads(answer.body)["code"] == "invalid-token"


@pytest.mark.req("GW-02")
def test_a_good_token_passes_and_reaches_the_service(suite) -> None:
    token = suite.provider.token()
    for _ in range(3):
        assert ask(suite, token).status == 200
    (first, *_) = suite.service.received
    assert first.one("authorization") == f"Bearer {token}"


@pytest.mark.req("GW-02")
def test_without_a_token_there_is_a_challenge_and_for_people_the_login(suite) -> None:
    got = suite.gateway.ask("/api/x")
    assert got.status == 401
    assert got.one("www-authenticate") == 'Bearer realm="jiuye"'
    assert orjson.loads(got.body)["detail"] == "请先登录"
    page = suite.gateway.ask("/api/x?a=b&c", fields={"Accept": "text/html,*/*;q=0.8"})
    assert page.status == 302
    assert page.one("location") == "/sso/login?return_to=%2Fapi%2Fx%3Fa%3Db%26c"
    assert suite.service.received == []


@pytest.mark.req("GW-02")
def test_public_locations_are_open_and_optional_ones_check_what_comes(suite) -> None:
    assert suite.gateway.ask("/open/x").status == 200
    assert suite.gateway.ask("/maybe/x").status == 200
    assert ask(suite, suite.provider.token(), "/maybe/x").status == 200
    refused(ask(suite, suite.provider.token(exp=1), "/maybe/x"))


BAD_CLAIMS = {
    "expired": {"exp": 1},
    "from the future": {"iat": 4102444800},
    "not yet": {"nbf": 4102444800},
    "of another issuer": {"iss": "https://evil.example/identity"},
    "for another audience": {"aud": "urn:other"},
    "for no audience": {"aud": None},
    "without an end": {"exp": None},
    "without a start": {"iat": None},
    "without a subject": {"sub": None},
    "with an empty subject": {"sub": ""},
    "with a text for a time": {"exp": "tomorrow"},
    "an id token": {"header": {"typ": "JWT"}},
    "a logout token": {"header": {"typ": "logout+jwt"}},
    "without a type": {"header": {"typ": None}},
    "of an unknown key": {"header": {"kid": "unknown"}},
    "with critical extensions": {"header": {"crit": ["x"], "x": 1}},
}


@pytest.mark.req("GW-02")
@pytest.mark.parametrize("name", BAD_CLAIMS)
def test_a_token_that_says_something_wrong_is_refused(suite, name) -> None:
    changes = dict(BAD_CLAIMS[name])
    header = changes.get("header", {})
    if header.get("crit"):
        token = suite.provider.token()
        head = {"alg": "ES256", "typ": "at+jwt", "kid": "first", **header}
        changed = base64.urlsafe_b64encode(orjson.dumps(head)).decode().rstrip("=")
        token = ".".join([changed, *token.split(".")[1:]])
    else:
        token = suite.provider.token(**changes)
    assert ask(suite, suite.provider.token()).status == 200
    refused(ask(suite, token))
    assert len(suite.service.received) == 1


def tampered(suite) -> dict[str, str]:
    """Tokens that identity did not sign."""
    token = suite.provider.token()
    head, body, signature = token.split(".")
    claims = orjson.loads(base64.urlsafe_b64decode(body + "=="))

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")

    none = part({"alg": "none", "typ": "at+jwt", "kid": "first"})
    foreign = new_key("first")
    rsa = RSAKey.generate_key(2048, parameters={"kid": "first"})
    # the public key as a shared secret: what confuses verifiers that take the token's word
    hmac_head = part({"alg": "HS256", "typ": "at+jwt", "kid": "first"})
    secret = suite.provider.keys[0].as_pem(private=False)
    mac = hmac.new(secret, f"{hmac_head}.{body}".encode(), "sha256").digest()
    mac_text = base64.urlsafe_b64encode(mac).decode().rstrip("=")
    inner = {"jwk": foreign.as_dict(private=False)}
    return {
        "another subject": ".".join([head, part(claims | {"sub": "other"}), signature]),
        "no signature": f"{head}.{body}.",
        "a short signature": f"{head}.{body}.{signature[:-4]}",
        "a zero signature": f"{head}.{body}.{'A' * 86}",
        "alg none": f"{none}.{body}.",
        "alg none with a signature": f"{none}.{body}.{signature}",
        "another key of that name": suite.provider.token(key=foreign),
        "a key it brings itself": suite.provider.token(key=foreign, header=inner),
        "RS256 by that name": suite.provider.token(key=rsa, header={"alg": "RS256"}),
        "HS256 by the public key": f"{hmac_head}.{body}.{mac_text}",
        "two parts": f"{head}.{body}",
        "five parts": f"{token}.a.b",
        "no JSON": f"YWJj.{body}.{signature}",
        "too long": f"{head}.{body}{'A' * 7000}.{signature}",
        "nothing": "",
    }


@pytest.mark.req("GW-02")
def test_a_token_identity_did_not_sign_is_refused(suite) -> None:
    assert ask(suite, suite.provider.token()).status == 200
    for name, token in tampered(suite).items():
        got = ask(suite, token)
        assert got.status == 401, name
    assert len(suite.service.received) == 1


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "bearer", "Token x", "Bearer a b"])
def test_another_scheme_is_no_token(suite, header) -> None:
    assert suite.gateway.ask("/api/x", fields={"Authorization": header}).status == 401


def test_the_scheme_is_read_without_case(suite) -> None:
    fields = {"Authorization": f"bearer {suite.provider.token()}"}
    assert suite.gateway.ask("/api/x", fields=fields).status == 200


@pytest.mark.req("GW-02")
def test_a_remembered_token_ends_on_time(suite) -> None:
    token = suite.provider.token()
    assert ask(suite, token).status == 200
    suite.gateway.clock.advance(299)
    assert ask(suite, token).status == 200
    suite.gateway.clock.advance(2)
    refused(ask(suite, token))


@pytest.mark.req("GW-02", "ID-43")
def test_an_ended_session_and_a_locked_account_end_their_tokens(suite) -> None:
    from frontdoor.revocations import ACCOUNT_LOCKED, CLIENT_SUSPENDED, SESSION_ENDED

    revocations = suite.gateway.gateway.revocations

    def hear(key: str, **data: str) -> None:
        async def tell() -> None:
            revocations.hear(key, orjson.dumps({"data": data}))

        suite.gateway.call(tell)

    token, other = suite.provider.token(), suite.provider.token(sid="other")
    assert [ask(suite, t).status for t in (token, other)] == [200, 200]
    hear(SESSION_ENDED, session_id=SESSION)
    assert [ask(suite, t).status for t in (token, other)] == [401, 200]
    refused(ask(suite, suite.provider.token()))  # never seen before, same session
    acting = suite.provider.token(sub="unit", act={"sub": LIN}, sid="third")
    assert ask(suite, acting).status == 200
    hear(ACCOUNT_LOCKED, account_id=LIN)
    assert [ask(suite, t).status for t in (other, acting)] == [401, 401]
    suite.gateway.clock.advance(2)
    assert ask(suite, suite.provider.token(sid="after")).status == 200
    system = suite.provider.token(sub="tax-bureau", sub_type="system", sid=None)
    assert ask(suite, system).status == 200
    hear(CLIENT_SUSPENDED, client_id="tax-bureau")
    assert ask(suite, system).status == 401
    hear(SESSION_ENDED)
    hear("fact.identity.account.verified.v1", account_id=LIN)
    assert ask(suite, suite.provider.token(sid="after")).status == 200


@pytest.mark.req("GW-02")
def test_a_new_key_is_asked_for_once_and_an_unknown_one_not_for_ever(suite) -> None:
    assert ask(suite, suite.provider.token()).status == 200
    suite.provider.keys.append(new_key("second"))
    suite.gateway.clock.advance(11)
    assert ask(suite, suite.provider.token()).status == 200
    asked = len(suite.gateway._identity.received)
    for number in range(10):
        refused(ask(suite, suite.provider.token(header={"kid": f"unknown-{number}"})))
    assert len(suite.gateway._identity.received) <= asked + 1


def test_while_identity_is_away_known_keys_serve_and_without_any_it_is_a_503(suite) -> None:
    suite.provider.away = True
    got = ask(suite, suite.provider.token())
    assert got.status == 503
    assert got.one("retry-after") == "5"
    suite.provider.away = False
    suite.gateway.clock.advance(11)
    assert ask(suite, suite.provider.token()).status == 200
    suite.provider.away = True
    suite.gateway.clock.advance(400)
    assert ask(suite, suite.provider.token()).status == 200


@pytest.mark.req("GW-04")
def test_an_address_has_only_so_many_bad_tokens(suite) -> None:
    good = suite.provider.token()
    assert ask(suite, good).status == 200
    statuses = [ask(suite, suite.provider.token(exp=n + 1)).status for n in range(40)]
    assert statuses.count(401) <= 32
    assert statuses[-1] == 429
    assert ask(suite, good).status == 200  # a known good token is no guess
    suite.gateway.clock.advance(60)
    refused(ask(suite, suite.provider.token(exp=99)))


@pytest.mark.req("GW-04")
def test_accounts_have_a_limit_of_their_own(suite, start, tmp_path) -> None:
    folder = tmp_path / "limited"
    folder.mkdir()
    from frontdoor.testing.running import Running
    from frontdoor.testing.service import Service

    provider = suite.provider
    identity = provider.service()
    with Running(
        folder,
        "location / { auth_jwt jiuye; limit_req zone=s burst=1 nodelay; proxy_pass http://a; }",
        {"a": Service()},
        identity=identity,
        outside="limit_req_zone $jwt_claim_sub zone=s:1m rate=1r/m; limit_req_status 429;",
    ) as gateway:
        provider.issuer = f"{gateway.public_url}/identity"
        first, second = provider.token(sub="one"), provider.token(sub="two")
        assert [gateway.ask("/", fields=bearer(first)).status for _ in range(3)] == [200, 200, 429]
        assert gateway.ask("/", fields=bearer(second)).status == 200
