"""What a mandate says, for how long, and how its keys turn."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

MANDATE_TYPE: Final = "mandate+jwt"
ALGORITHM: Final = "ES256"
MANDATE_LASTS: Final = timedelta(seconds=60)  # identity redeems it at once, and once

KEY_PUBLISHED_BEFORE: Final = timedelta(hours=1)  # it is in everybody's cache when it signs
KEY_ACTIVE_FOR: Final = timedelta(days=30)
KEY_KEPT_AFTER: Final = timedelta(hours=1)  # longer than any mandate lives
KEYS_CACHED_SECONDS: Final = 300

LONGEST_LOOK_BACK: Final = timedelta(hours=1)  # no access token lives longer than 300 s
OVERLAP: Final = timedelta(seconds=30)  # a change may commit this much after its time
