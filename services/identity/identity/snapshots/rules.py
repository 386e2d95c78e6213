"""Who may read every account's state, and how much at once?"""

from __future__ import annotations

from typing import Final

SNAPSHOTS: Final = "snapshots"  # the scope of a service that catches up
MOST: Final = 100  # subjects a page
