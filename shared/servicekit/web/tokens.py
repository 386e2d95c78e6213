"""Verifies access tokens: RFC 9068 JWTs, by one shared function in every service (ID-40, S4).

Algorithms are fixed, keys come from our JWKS by kid alone, and a verified token is remembered
for a minute at most; its expiry and the revocations are looked at every time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, Protocol, cast

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from servicekit.applications import Actor
from servicekit.clock import Clock
from servicekit.errors import Unauthenticated
from servicekit.revocations import Revocations
from servicekit.workflow import Role

ALGORITHMS: Final = ("ES256", "RS256")
TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
SKEW: Final = 60  # seconds another machine's clock may be ahead of ours
REMEMBERED: Final = 60  # seconds
MAX_REMEMBERED: Final = 10_000
MAX_LENGTH: Final = 8192
_ALLOWED_HEADERS: Final = frozenset({"alg", "typ", "kid"})
PERSON_LEVEL: Final = "urn:gdhrss:ial:"
UNIT_LEVEL: Final = "urn:gdprov:ial:"
ORGANISATION_CODE: Final = "organisation-code"  # what a unit may have registered by (ID-26)


class InvalidToken(Unauthenticated):
    """Malformed, foreign, tampered with, expired or revoked; the caller is not told which."""

    code = "invalid-token"
    default_message = "登录已失效，请重新登录"
    challenge: ClassVar[str] = 'Bearer realm="jiuye", error="invalid_token"'


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says."""

    kind: Literal["person", "unit", "officer", "system"]
    actor: Actor
    level: int  # of the person, in HRSS's scale; 0 for anybody else
    unit_level: int  # of the unit, in the province's scale; 0 where there is none
    acr: str
    roles: frozenset[str]
    businesses: frozenset[str]
    client_id: str
    scopes: frozenset[str]
    session_id: str
    token_id: str
    issued_at: float
    expires_at: float
    certificate_type: str = ""  # of the unit: uscc or organisation-code
    is_frozen: bool = False  # a unit's own account, while an objection stands (EA-12)
    key_id: str = ""


def speaks_for(claims: Claims) -> tuple[str | None, ...]:
    """Everybody whose end makes the token worthless."""
    return claims.actor.id, claims.actor.person_id, claims.actor.agency_id


def is_revoked(revocations: Revocations, claims: Claims) -> bool:
    """Has the session, an account, the binding or the key behind the token ended?"""
    return revocations.covers(
        session_id=claims.session_id,
        accounts=speaks_for(claims),
        issued_at=claims.issued_at,
        binding=claims.actor.binding,
        version=claims.actor.binding_version,
        key=claims.key_id,
    )


class KeySource(Protocol):
    """Where the keys are that verify tokens."""

    def find(self, kid: str) -> ECKey | RSAKey | None:
        """The key of that id; None when there is none."""
        ...


class TokenVerifier:
    """Says who a bearer token speaks for.

    Args:
        issuer, audience: what ``iss`` and ``aud`` must name.
        keys: the issuer's public keys.
        revoked: asked at every use, remembered tokens too.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        keys: KeySource,
        clock: Clock,
        revoked: Callable[[Claims], bool] = lambda claims: False,
    ) -> None:
        self.keys = keys
        self.revoked = revoked
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[Claims, float]] = OrderedDict()

    def verify(self, text: str) -> Claims:
        """Check the token, or recognise one checked less than a minute ago.

        Raises:
            InvalidToken: it is not good, for whatever reason.
            Unavailable: the issuer's keys cannot be fetched.
        """
        now = self._clock.now().timestamp()
        known = self._known.get(text)
        if known is None or known[1] <= now:
            claims = self._check(text, now)
            self._remember(text, claims, now)
        else:
            claims = known[0]
        if claims.expires_at <= now or self.revoked(claims):
            raise InvalidToken
        return claims

    def _check(self, text: str, now: float) -> Claims:
        if len(text) > MAX_LENGTH:
            raise InvalidToken
        try:
            signed = jws.extract_compact(text.encode())  # once: jwt.decode would read it again
            header = signed.headers()
            if not jws.validate_compact(signed, self._key(header), ALGORITHMS):
                raise InvalidToken
            values = self._checked(orjson.loads(signed.payload or b""), now)
            return _read(values, str(header["kid"]))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise InvalidToken from None

    def _key(self, header: Mapping[str, Any]) -> ECKey | RSAKey:
        # No jwk, jku, x5u or crit: a token does not bring or point to its own key.
        if not header.keys() <= _ALLOWED_HEADERS or header.get("alg") not in ALGORITHMS:
            raise InvalidToken
        if str(header.get("typ", "")).lower() not in TYPES:
            raise InvalidToken
        key = self.keys.find(str(header["kid"]))
        if key is None or key.as_dict(private=False).get("use", "sig") != "sig":
            raise InvalidToken
        return key

    def _checked(self, values: Mapping[str, Any], now: float) -> Mapping[str, Any]:
        audience = values["aud"]
        audiences = audience if isinstance(audience, list) else [audience]
        if values["iss"] != self._issuer or self._audience not in audiences:
            raise InvalidToken
        times = [values["exp"], values["iat"], values.get("nbf", values["iat"])]
        if not all(isinstance(t, int | float) and not isinstance(t, bool) for t in times):
            raise InvalidToken
        if times[0] <= now or max(times[1:]) > now + SKEW:
            raise InvalidToken
        return values

    def _remember(self, text: str, claims: Claims, now: float) -> None:
        with self._lock:
            self._known[text] = (claims, min(claims.expires_at, now + REMEMBERED))
            self._known.move_to_end(text)
            while len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)


def bearer(header: str | None) -> str | None:
    """The token of an ``Authorization`` header; None where there is none of that scheme."""
    scheme, _, text = (header or "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" and text.strip() else None


def _read(values: Mapping[str, Any], key_id: str) -> Claims:
    kind = values["sub_type"]
    if kind not in ("person", "unit", "officer", "system"):
        raise InvalidToken
    acr = str(values.get("acr", ""))
    actor = _actor(kind, values, acr)
    return Claims(
        kind=cast(Literal["person", "unit", "officer", "system"], kind),
        actor=actor,
        level=actor.level,
        unit_level=actor.unit_level,
        acr=acr,
        roles=actor.roles,
        businesses=actor.businesses,
        client_id=str(values["client_id"]),
        scopes=frozenset(str(values.get("scope", "")).split()),
        session_id=str(values.get("sid", "")),
        token_id=str(values["jti"]),
        issued_at=float(values["iat"]),
        expires_at=float(values["exp"]),
        certificate_type=str(values.get("certificate_type", "")),
        is_frozen=values.get("frozen") is True,
        key_id=key_id,
    )


def _actor(kind: str, values: Mapping[str, Any], acr: str) -> Actor:
    subject = values["sub"]
    acting = _acting(values) if "act" in values else None
    if not isinstance(subject, str) or (acting is not None and kind != "unit"):
        raise InvalidToken  # people and systems act for units, and for nobody else
    alone = subject if kind in ("person", "officer") else None
    return Actor(
        id=subject,
        role=Role.SYSTEM if kind == "system" else Role.APPLICANT,
        kind=cast(Literal["person", "unit", "officer", "system"], kind),
        level=_level(PERSON_LEVEL, acr if acting is None else acting.acr),
        unit_level=_level(UNIT_LEVEL, acr),
        person_id=alone if acting is None else acting.person_id,
        session_id=values.get("sid"),
        roles=_words(values, "roles"),
        region=values.get("region"),
        businesses=_words(values, "businesses"),
        permissions=_words(values, "permissions"),
        regions=_regions(values.get("regions", {})),
        binding=None if acting is None else acting.binding,
        binding_version=0 if acting is None else acting.version,
        agency_id=None if acting is None else acting.agency_id,
    )


@dataclass(frozen=True, slots=True)
class _Acting:
    """Who acts, on which binding; with an agency between in a chain mandate."""

    person_id: str
    acr: str
    binding: str
    version: int
    agency_id: str | None


def _acting(values: Mapping[str, Any]) -> _Acting:
    act, version = values["act"], values["bver"]
    agency = act.get("act")
    ids = [act["sub"], values["binding"], *([agency["sub"]] if agency is not None else [])]
    if not all(isinstance(each, str) and each for each in ids) or type(version) is not int:
        raise InvalidToken
    if agency is not None and "act" in agency:
        raise InvalidToken  # deeper than unit → agency → person
    return _Acting(ids[0], str(act.get("acr", "")), ids[1], version, ids[2] if agency else None)


def _regions(given: Any) -> frozenset[tuple[str, str]]:
    if not isinstance(given, dict) or not all(isinstance(code, str) for code in given.values()):
        raise InvalidToken
    return frozenset(given.items())


def _level(scale: str, acr: str) -> int:
    """A level on one scale; nothing is known of the other (D6-4: the scales are never mixed)."""
    return int(acr.removeprefix(scale)) if acr.startswith(scale) else 0


def _words(values: Mapping[str, Any], name: str) -> frozenset[str]:
    given = values.get(name, ())
    if isinstance(given, str) or not all(isinstance(word, str) for word in given):
        raise InvalidToken
    return frozenset(given)
