"""What does an authorization request ask of the person, and what of that is still owed?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

PROMPTS: Final = ("none", "login", "consent", "select_account")
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST_CLAIMS: Final = 4000
_LEVEL: Final = re.compile(r"(urn:(?:gdhrss|gdprov):(?:ial|aal)):([0-9])")


class BadAsking(Exception):
    """The request contradicts itself or the specification."""


class Step(StrEnum):
    """What comes before the code."""

    LOGIN = "login"
    SELECT = "select"  # choose whom to act for (ID-41)
    RAISE = "raise"  # prove oneself better first (ID-42)
    CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class Asking:
    """The parameters that are about the person, not about the client."""

    prompts: frozenset[str]
    max_age: timedelta | None
    acr_values: tuple[str, ...]  # wished for, in the order of preference
    essential: tuple[str, ...]  # one of these, or no code (OpenID Core 5.5.1.1)
    login_hint: str | None
    as_unit: bool  # 以法人身份登录

    @property
    def is_silent(self) -> bool:
        """No page may be shown."""
        return "none" in self.prompts


def read(asked: Mapping[str, str]) -> Asking:
    """Read the parameters of OpenID Core 3.1.2.1, and our own ``as_unit``.

    Raises:
        BadAsking: naming the parameter.
    """
    prompts = frozenset(asked.get("prompt", "").split())
    if prompts - set(PROMPTS) or ("none" in prompts and len(prompts) > 1):
        raise BadAsking("'prompt' is none, or of login, consent, select_account")
    if asked.get("response_mode", "query") != "query":
        raise BadAsking("'response_mode' is query")
    if "request" in asked:
        raise BadAsking("'request' is not supported; push the request instead")
    jkt = asked.get("dpop_jkt")
    if jkt is not None and not _THUMBPRINT.fullmatch(jkt):
        raise BadAsking("'dpop_jkt' is the SHA-256 thumbprint of a key")
    return Asking(
        prompts=prompts,
        max_age=_max_age(asked.get("max_age")),
        acr_values=tuple(asked.get("acr_values", "").split()),
        essential=_essential_acr(asked.get("claims")),
        login_hint=asked.get("login_hint"),
        as_unit=asked.get("as_unit") == "1",
    )


@dataclass(frozen=True, slots=True)
class Present:
    """How the person stands before the request."""

    authenticated_at: datetime
    acr: str
    is_person: bool
    is_hinted: bool  # nobody else was hinted at by id_token_hint
    consented_at: datetime | None  # None: what is asked for was not consented to
    needs_consent: bool


def owed(
    asking: Asking, present: Present | None, *, done: frozenset[str], arrived_at: datetime
) -> Step | None:
    """The next step before the code; None when the code may be given.

    A login or consent counts that happened since the request arrived, so ``prompt=login`` and
    ``max_age=0`` are asked once and cannot be talked out of it.

    Args:
        present: None when nobody is signed in.
        done: steps the person went through or turned down.
        arrived_at: when the request came first.
    """
    if present is None or _owes_login(asking, present, arrived_at):
        return Step.LOGIN
    wanted = asking.essential or asking.acr_values
    if wanted and not meets(present.acr, wanted) and Step.RAISE not in done:
        return Step.RAISE
    selects = asking.as_unit or "select_account" in asking.prompts
    if selects and Step.SELECT not in done and present.is_person and not asking.is_silent:
        return Step.SELECT
    since = present.consented_at
    asked_anew = "consent" in asking.prompts and (since is None or since < arrived_at)
    if asked_anew or (present.needs_consent and since is None):
        return Step.CONSENT
    return None


def meets(acr: str, wanted: Sequence[str]) -> bool:
    """Is it one of these, or better on the same scale? The scales are never compared."""
    have = _LEVEL.fullmatch(acr)
    for each in wanted:
        need = _LEVEL.fullmatch(each)
        if acr == each or (have and need and have[1] == need[1] and int(have[2]) >= int(need[2])):
            return True
    return False


def can_be_raised(acr: str, wanted: Sequence[str]) -> str | None:
    """The wanted level on this person's or unit's own scale; None when there is none."""
    have = _LEVEL.fullmatch(acr)
    for each in wanted:
        need = _LEVEL.fullmatch(each)
        if have and need and have[1] == need[1] and have[1].endswith(":ial"):
            return each
    return None


def _owes_login(asking: Asking, present: Present, arrived_at: datetime) -> bool:
    if present.authenticated_at >= arrived_at:
        return not present.is_hinted
    if "login" in asking.prompts or not present.is_hinted:
        return True
    return asking.max_age is not None and arrived_at - present.authenticated_at > asking.max_age


def _max_age(given: str | None) -> timedelta | None:
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 9:  # noqa: PLR2004 - thirty years
        raise BadAsking("'max_age' is a number of seconds")
    return timedelta(seconds=int(given))


def _essential_acr(given: str | None) -> tuple[str, ...]:
    if given is None:
        return ()
    try:
        claims = json.loads(given) if len(given) <= _LONGEST_CLAIMS else None
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict) or not all(
        isinstance(claims.get(part, {}), dict) for part in ("id_token", "userinfo")
    ):
        raise BadAsking("'claims' is a JSON object of id_token and userinfo")
    wanted: Any = claims.get("id_token", {}).get("acr")
    if not isinstance(wanted, dict) or not wanted.get("essential"):
        return ()
    values = wanted.get("values", [wanted["value"]] if "value" in wanted else [])
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise BadAsking("'claims' asks for no list of acr values")
    return tuple(values)
