"""What every request passes, one concern a module; `app.CHAIN` is the order."""

from __future__ import annotations

from typing import Protocol

from frontdoor.exchange import Finished, Inward, Outward
from frontdoor.sites import Location


class Filter(Protocol):
    """Asked once per location, when the configuration is read, what it does there."""

    def inward(self, location: Location) -> Inward | None:
        """What happens on the way in; None when nothing does."""

    def outward(self, location: Location) -> Outward | None:
        """What happens with the response head on the way out."""

    def finished(self, location: Location) -> Finished | None:
        """What happens after the last byte."""


class Passive:
    """Does nothing anywhere; filters override what they do."""

    def inward(self, location: Location) -> Inward | None:
        """Nothing on the way in."""

    def outward(self, location: Location) -> Outward | None:
        """Nothing on the way out."""

    def finished(self, location: Location) -> Finished | None:
        """Nothing afterwards."""
