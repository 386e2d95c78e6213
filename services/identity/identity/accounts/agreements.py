"""The agreements and consents as they are published with this release: text, version, need."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement in its present version.

    ``needed`` ones are accepted by everybody who has an account; the others are the separate
    consents the law asks for one by one (个人信息保护法 23, 26, 29).
    """

    name: str
    title: str
    version: str
    needed: bool
    text: tuple[str, ...]


@cache
def _published() -> tuple[Agreement, ...]:
    text = (files("identity.accounts") / "agreements.json").read_text(encoding="utf-8")
    return tuple(Agreement(**{**each, "text": tuple(each["text"])}) for each in json.loads(text))


def all_agreements() -> tuple[Agreement, ...]:
    """Every agreement an account needs, in the order they are shown."""
    return tuple(each for each in _published() if each.needed)


def consents() -> tuple[Agreement, ...]:
    """The separate consents."""
    return tuple(each for each in _published() if not each.needed)


def find(name: str) -> Agreement | None:
    """An agreement or consent by its name."""
    return next((each for each in _published() if each.name == name), None)


def in_force() -> dict[str, str]:
    """The version to accept of everything that is needed, by name."""
    return {a.name: a.version for a in all_agreements()}
