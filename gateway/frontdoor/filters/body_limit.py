"""Refuses bodies that are too large by what they declare; `proxying` counts the others."""

from __future__ import annotations

from frontdoor import answers
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.filters import Passive
from frontdoor.sites import Location


class BodyLimit(Passive):
    """client_max_body_size."""

    def inward(self, location: Location) -> Inward | None:
        most = location.max_body
        if most == 0:
            return None

        def check(exchange: Exchange) -> Step:
            return answers.TOO_LARGE if exchange.fields.length > most else None

        return check
