"""Which tokens are good, how long they are remembered, and where the keys come from."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from servicekit.errors import Unavailable
from servicekit.revocations import LOOK_AT, Revocations
from servicekit.testing.clock import FixedClock
from servicekit.testing.issuer import AUDIENCE, Issuer, serve
from servicekit.web.keys import RemoteKeys
from servicekit.web.tokens import (
    MAX_REMEMBERED,
    Claims,
    InvalidToken,
    TokenVerifier,
    bearer,
    is_revoked,
)


class LocalKeys:
    """The issuer's keys without a way to them; counts the questions."""

    def __init__(self, *keys: Any) -> None:
        self.keys = {key.thumbprint(): key for key in keys}
        self.asked: list[str] = []

    def find(self, kid: str) -> Any:
        self.asked.append(kid)
        return self.keys.get(kid)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def own_issuer(clock: FixedClock) -> Issuer:
    return Issuer(clock)


@pytest.fixture
def keys(own_issuer: Issuer) -> LocalKeys:
    return LocalKeys(own_issuer.key)


@pytest.fixture
def verifier(own_issuer: Issuer, keys: LocalKeys, clock: FixedClock) -> TokenVerifier:
    return TokenVerifier(issuer=own_issuer.issuer, audience=AUDIENCE, keys=keys, clock=clock)


@pytest.fixture
def listening(clock: FixedClock) -> Iterator[Issuer]:
    with serve(Issuer(clock)) as issuer:
        yield issuer


def checking(
    revocations: Revocations, keys: LocalKeys, issuer: Issuer, clock: FixedClock
) -> TokenVerifier:
    """A verifier that asks for revocations."""
    return TokenVerifier(
        issuer=issuer.issuer,
        audience=AUDIENCE,
        keys=keys,
        clock=clock,
        revoked=lambda claims: is_revoked(revocations, claims),
    )


def encoded(header: dict[str, Any]) -> str:
    """A JWS header as it stands in a token."""
    return base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")


def test_a_good_token_says_who_is_asking(own_issuer: Issuer, verifier: TokenVerifier) -> None:
    person = verifier.verify(own_issuer.token(sub="p-1", sid="s-1", level=3))
    assert (person.kind, person.level, person.session_id) == ("person", 3, "s-1")
    assert (person.actor.id, person.actor.person_id, person.actor.kind) == ("p-1", "p-1", "person")
    acting = verifier.verify(own_issuer.token("unit", sub="u-1", acting="p-1")).actor
    assert (acting.id, acting.person_id, acting.kind) == ("u-1", "p-1", "unit")
    officer = verifier.verify(own_issuer.token("officer", region="4401", roles=["window"])).actor
    assert (officer.region, officer.roles) == ("4401", {"window"})
    assert verifier.verify(own_issuer.token("system")).actor.role == "system"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example/identity"},
        {"aud": "urn:other:api"},
        {"aud": [], "iss": None},
        {"sub": None},
        {"sub": 7},
        {"exp": None},
        {"exp": "2999-01-01"},
        {"exp": True},
        {"iat": None},
        {"jti": None},
        {"client_id": None},
        {"sub_type": "king"},
        {"sub_type": None},
        {"roles": "reviewer"},
        {"roles": [7]},
        {"act": {"name": "x"}},
        {"nbf": 9_999_999_999},
        {"iat": 9_999_999_999},
        {"acr": "urn:gdhrss:ial:high"},
    ],
)
def test_every_claim_counts(
    own_issuer: Issuer, verifier: TokenVerifier, changes: dict[str, Any]
) -> None:
    usual = jwt.decode(own_issuer.token(), own_issuer.key, algorithms=["ES256"]).claims
    changed = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    with pytest.raises(InvalidToken):
        verifier.verify(own_issuer.sign(changed))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": "id+jwt"},
        {"kid": "another"},
        {"jwk": {"kty": "EC"}},
        {"jku": "https://elsewhere.example/keys"},
        {"x5u": "https://elsewhere.example/cert"},
        {"crit": ["b64"], "b64": True},
    ],
)
def test_a_token_does_not_bring_its_key(
    own_issuer: Issuer, verifier: TokenVerifier, header: dict[str, Any]
) -> None:
    token = own_issuer.token()
    head, body, signature = token.split(".")
    usual = json.loads(base64.urlsafe_b64decode(head + "=="))
    with pytest.raises(InvalidToken):
        verifier.verify(f"{encoded(usual | header)}.{body}.{signature}")


def test_only_our_algorithms_sign(own_issuer: Issuer, keys: LocalKeys, clock: FixedClock) -> None:
    rsa = RSAKey.generate_key(2048, private=True)
    keys.keys[rsa.thumbprint()] = rsa
    verifier = TokenVerifier(issuer=own_issuer.issuer, audience=AUDIENCE, keys=keys, clock=clock)
    values = jwt.decode(own_issuer.token(), own_issuer.key, algorithms=["ES256"]).claims
    header = {"typ": "at+jwt", "kid": rsa.thumbprint()}
    good = jwt.encode({**header, "alg": "RS256"}, values, rsa, algorithms=["RS256"])
    assert verifier.verify(good).kind == "person"
    other = jwt.encode({**header, "alg": "PS256"}, values, rsa, algorithms=["PS256"])
    # The classic confusion: the public key's text as a secret.
    head, body = encoded({**header, "alg": "HS256"}), good.split(".")[1]
    mac = hmac.digest(rsa.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    confused = f"{head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    unsigned = f"{encoded({**header, 'alg': 'none'})}.{body}."
    for bad in (other, confused, unsigned):
        with pytest.raises(InvalidToken):
            verifier.verify(bad)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "x" * 9000, "é.é.é", "a.b.c.d.e"])
def test_garbage_is_no_token(verifier: TokenVerifier, text: str) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(text)


def test_bad_tokens_of_every_kind(own_issuer: Issuer, verifier: TokenVerifier) -> None:
    for bad in (own_issuer.expired(), own_issuer.foreign(), own_issuer.tampered()):
        with pytest.raises(InvalidToken):
            verifier.verify(bad)


def test_a_verified_token_is_remembered_but_never_beyond_its_end(
    own_issuer: Issuer, verifier: TokenVerifier, keys: LocalKeys, clock: FixedClock
) -> None:
    long, short = own_issuer.token(), own_issuer.token(expires_in=20)
    verifier.verify(long), verifier.verify(short)
    clock.advance(seconds=19)
    verifier.verify(long), verifier.verify(short)
    assert len(keys.asked) == 2
    clock.advance(seconds=1)
    with pytest.raises(InvalidToken):
        verifier.verify(short)
    clock.advance(seconds=45)  # more than a minute after the first look: looked at again
    asked = len(keys.asked)
    verifier.verify(long)
    assert len(keys.asked) == asked + 1
    clock.advance(seconds=300)
    with pytest.raises(InvalidToken):
        verifier.verify(long)


def test_memory_is_bounded(own_issuer: Issuer, verifier: TokenVerifier) -> None:
    claims = verifier.verify(own_issuer.token())
    for n in range(MAX_REMEMBERED + 50):
        verifier._remember(f"token {n}", claims, 0.0)
    assert len(verifier._known) == MAX_REMEMBERED


@pytest.mark.req("ID-43")
@pytest.mark.parametrize("who", ["p-1", "u-1", "a-1"])
def test_the_end_of_anybody_a_token_speaks_for_counts_at_every_use(
    own_issuer: Issuer, keys: LocalKeys, clock: FixedClock, who: str
) -> None:
    revocations = Revocations(clock)
    verifier = checking(revocations, keys, own_issuer, clock)
    acting = {"sub": "u-1", "acting": "p-1", "via": "a-1"}
    token = own_issuer.token("unit", **acting)
    verifier.verify(token)
    revocations.end_account(who)
    with pytest.raises(InvalidToken):
        verifier.verify(token)
    clock.advance(seconds=2)  # what is issued later is good: a level fell, or the lock is off
    assert verifier.verify(own_issuer.token("unit", **acting)).kind == "unit"


@pytest.mark.req("ID-43", "EA-13")
def test_a_token_on_an_older_version_of_its_binding_is_worth_nothing(
    own_issuer: Issuer, keys: LocalKeys, clock: FixedClock
) -> None:
    revocations = Revocations(clock)
    verifier = checking(revocations, keys, own_issuer, clock)
    old, new = (
        own_issuer.token("unit", acting="p-1", binding="b-1", bver=version) for version in (3, 4)
    )
    revocations.revise_binding("b-1", 3)
    verifier.verify(old)
    revocations.revise_binding("b-1", 4)
    revocations.revise_binding("b-1", 2)  # told late: the newest known counts
    with pytest.raises(InvalidToken):
        verifier.verify(old)
    assert verifier.verify(new).actor.binding_version == 4


@pytest.mark.req("ID-43")
def test_what_no_token_can_be_older_than_is_forgotten(clock: FixedClock) -> None:
    revocations = Revocations(clock)
    for n in range(LOOK_AT):
        revocations.end_session(f"s-{n}")
    clock.advance(minutes=16)
    revocations.end_session("the newest")
    assert len(revocations) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"act": {"sub": "p", "act": {"sub": "a", "act": {"sub": "b"}}}},
        {"act": {}},
        {"act": "p"},
        {"act": {"sub": 7}},
        {"bver": "1"},
        {"bver": True},
        {"bver": None},
        {"binding": None},
        {"sub_type": "person"},
        {"sub_type": "officer"},
    ],
)
@pytest.mark.req("EA-13")
def test_acting_is_said_in_full_or_not_at_all(
    own_issuer: Issuer, verifier: TokenVerifier, claims: dict[str, Any]
) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(own_issuer.token("unit", acting="p-1", **claims))


@pytest.mark.req("ID-24")
def test_the_two_scales_are_never_mixed(own_issuer: Issuer, verifier: TokenVerifier) -> None:
    unit = verifier.verify(own_issuer.token("unit", level=5))
    assert (unit.level, unit.unit_level) == (0, 5)
    person = verifier.verify(own_issuer.token(level=3))
    assert (person.level, person.unit_level) == (3, 0)
    acting = verifier.verify(own_issuer.token("unit", level=4, acting="p-1"))
    assert (acting.level, acting.unit_level) == (2, 4)


def test_keys_are_fetched_once_and_again_when_a_new_one_is_named(
    listening: Issuer, clock: FixedClock
) -> None:
    keys = RemoteKeys(f"{listening.url}/identity/jwks.json", clock)
    first = listening.key.thumbprint()
    assert keys.find(first) is not None
    assert keys.find(first) is not None
    assert len(listening.requests) == 1
    listening.rotate()
    for stranger in ("a", "b", "c"):  # made-up kids do not make us ask again and again
        assert keys.find(stranger) is None
    assert len(listening.requests) == 1
    clock.advance(seconds=6)
    assert keys.find(listening.key.thumbprint()) is not None
    assert len(listening.requests) == 2
    assert keys.find(first) is None  # withdrawn


def test_an_issuer_that_is_down_logs_nobody_out(listening: Issuer, clock: FixedClock) -> None:
    keys = RemoteKeys(f"{listening.url}/identity/jwks.json", clock)
    kid = listening.key.thumbprint()
    listening.down = True
    with pytest.raises(Unavailable):
        keys.find(kid)
    listening.down = False
    clock.advance(seconds=6)
    assert keys.find(kid) is not None
    listening.down = True
    clock.advance(hours=1)
    assert keys.find(kid) is not None


def test_private_and_symmetric_keys_in_a_jwks_are_not_taken(clock: FixedClock) -> None:
    with serve(Issuer(clock)) as issuer:
        oct_key = OctKey.generate_key(256, private=True)
        public = issuer.jwks()["keys"]
        issuer.jwks = lambda: {  # type: ignore[method-assign]
            "keys": [
                *public,
                {**oct_key.as_dict(private=True), "kid": "secret"},
                {**issuer.key.as_dict(private=True), "kid": "private"},
            ]
        }
        keys = RemoteKeys(f"{issuer.url}/identity/jwks.json", clock)
        assert keys.find(issuer.key.thumbprint()) is not None
        assert keys.find("secret") is None
        assert keys.find("private") is None


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc", "abc"),
        ("Basic abc", None),
        ("Bearer ", None),
        ("Bearer", None),
        (None, None),
    ],
)
def test_the_bearer_scheme(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


def test_claims_show_no_token(own_issuer: Issuer, verifier: TokenVerifier) -> None:
    claims: Claims = verifier.verify(own_issuer.token())
    assert "eyJ" not in repr(claims)
