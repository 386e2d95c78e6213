"""The provider's signing keys: which algorithms, how long, in which table."""

from __future__ import annotations

from typing import Final

from identity.sign_in import rules
from identity.sign_in.model import SigningKey
from servicekit.db import Database
from servicekit.key_rings import ES256, KeyLife, KeyRing

ACCESS_ALGORITHM: Final = ES256
ALGORITHMS: Final = (ES256, "RS256")  # RS256 must be listed (OpenID Discovery 3)
_LIFE: Final = KeyLife(rules.KEY_PUBLISHED_BEFORE, rules.KEY_ACTIVE_FOR, rules.KEY_KEPT_AFTER)


def key_ring(database: Database) -> KeyRing:
    """The keys of tokens, to be published at ``/identity/jwks.json`` (ID-44)."""
    return KeyRing(database, SigningKey, _LIFE, ALGORITHMS)
