"""The agreements a person accepts, and the version of each that is in force."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement in its present version."""

    name: str
    title: str
    version: str


@cache
def all_agreements() -> tuple[Agreement, ...]:
    """Every agreement, in the order they are shown."""
    text = (files("identity.accounts") / "agreements.json").read_text(encoding="utf-8")
    return tuple(Agreement(**each) for each in json.loads(text))


def in_force() -> dict[str, str]:
    """The version to accept, by name."""
    return {a.name: a.version for a in all_agreements()}
