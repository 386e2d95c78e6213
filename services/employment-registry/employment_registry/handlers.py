"""What the registry does when others speak: nothing yet, for no fact of theirs changes a record."""

from __future__ import annotations

from servicekit.inbox import Subscriptions

SUBSCRIPTIONS = Subscriptions("employment-registry")
