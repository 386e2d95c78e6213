"""What the registry does when others speak: it knows the officers there are.

No fact of others changes a record.
"""

from __future__ import annotations

from servicekit.inbox import Subscriptions
from servicekit.teamwork import roster

SUBSCRIPTIONS = Subscriptions("employment-registry")
roster.subscribe(SUBSCRIPTIONS)
