"""May this mandate be redeemed by this person: what it says, how deep, how old (RFC 8693)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

PERSON_LEVEL: Final = 2  # 已实名认证: who is not proved acts for nobody (EA-02)
MANDATE_LIFE: Final = timedelta(seconds=60)
SKEW: Final = timedelta(seconds=5)  # two clocks of ours
ACTIVE: Final = "active"


class MandateRefused(Exception):
    """It is not good for this; the sentence is for the developer of the client."""


@dataclass(frozen=True, slots=True)
class Acting:
    """A person acts for a unit: ids, the binding and its version, and what is granted."""

    unit: str
    person: str
    binding: str
    version: int
    permissions: tuple[str, ...] = ()
    agency: str | None = None  # 代理机构: a mandate handed on once, never further
    regions: tuple[tuple[str, str], ...] = ()  # where a business is granted only in one place

    def as_json(self) -> dict[str, Any]:
        """How sessions and tokens keep it."""
        return {
            "unit": self.unit,
            "person": self.person,
            "binding": self.binding,
            "version": self.version,
            "permissions": list(self.permissions),
            "agency": self.agency,
            "regions": dict(self.regions),
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Acting:
        """The same again."""
        regions = tuple(sorted(kept.get("regions", {}).items()))
        permissions = tuple(kept["permissions"])
        return cls(**{**kept, "permissions": permissions, "regions": regions})


@dataclass(frozen=True, slots=True)
class Mandate:
    """What employer-auth signed, once read."""

    acting: Acting
    token_id: str
    expires_at: datetime


def read_mandate(
    claims: Mapping[str, Any], *, issuer: str, audience: str, now: datetime
) -> Mandate:
    """Check the claims of a mandate whose signature is right.

    Raises:
        MandateRefused: wrong issuer or audience, expired, from the future, or malformed.
    """
    try:
        return _read(claims, issuer=issuer, audience=audience, now=now)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise MandateRefused("The mandate is malformed.") from None


def _read(claims: Mapping[str, Any], *, issuer: str, audience: str, now: datetime) -> Mandate:
    if claims["iss"] != issuer or claims["aud"] != audience:
        raise MandateRefused("The mandate is not from employer-auth or not for this issuer.")
    issued = datetime.fromtimestamp(_whole(claims["iat"]), UTC)
    expires = datetime.fromtimestamp(_whole(claims["exp"]), UTC)
    if expires <= now:
        raise MandateRefused("The mandate has expired.")
    if issued > now + SKEW or expires - issued > MANDATE_LIFE:
        raise MandateRefused("The mandate is from the future or lives too long.")
    may_act = claims["may_act"]
    if set(may_act) != {"sub"} or "act" in claims:
        raise MandateRefused("The mandate is handed on; a chain is one agency deep at most.")
    permissions = claims["permissions"]
    if not isinstance(permissions, list) or not all(isinstance(p, str) for p in permissions):
        raise ValueError
    regions = {_word(name): _word(code) for name, code in claims.get("regions", {}).items()}
    via = claims.get("via")
    acting = Acting(
        unit=_word(claims["sub"]),
        person=_word(may_act["sub"]),
        binding=_word(claims["binding"]),
        version=_whole(claims["bver"]),
        permissions=tuple(permissions),
        agency=None if via is None else _word(via),
        regions=tuple(sorted(regions.items())),
    )
    return Mandate(acting, _word(claims["jti"]), expires)


def check_actor(acting: Acting, person_id: str, level: int) -> None:
    """Is it the person the mandate names, and proved well enough?

    Raises:
        MandateRefused: another person, or not real-name verified.
    """
    if acting.person != person_id:
        raise MandateRefused("The actor is not the person the mandate names.")
    if level < PERSON_LEVEL:
        raise MandateRefused("The actor is not real-name verified.")


def check_version(acting: Acting, *, newest: int, state: str) -> None:
    """Is the binding as it was when the mandate was signed?

    Args:
        newest, state: what employer-auth told last.

    Raises:
        MandateRefused: it was changed, suspended or ended since.
    """
    if newest > acting.version or (newest == acting.version and state != ACTIVE):
        raise MandateRefused("The binding has changed since; ask for a new mandate.")


def _word(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 80:  # noqa: PLR2004 - ids are 36
        raise ValueError
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value
