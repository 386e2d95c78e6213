"""The keys of mandates: how long, in which table."""

from __future__ import annotations

from typing import Final

from employer_auth.acting import rules
from employer_auth.acting.model import MandateKey
from servicekit.db import Database
from servicekit.key_rings import KeyLife, KeyRing

_LIFE: Final = KeyLife(rules.KEY_PUBLISHED_BEFORE, rules.KEY_ACTIVE_FOR, rules.KEY_KEPT_AFTER)


def key_ring(database: Database) -> KeyRing:
    """The keys of mandates, to be published at ``/mandate-keys``."""
    return KeyRing(database, MandateKey, _LIFE)
