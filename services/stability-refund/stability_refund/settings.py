"""What an installation may set about 稳岗返还."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.settings import ServiceSettings


@dataclass(frozen=True)
class Settings(ServiceSettings):
    """Settings of 稳岗返还, ``STABILITY_REFUND_…``: so far only those every service has."""
