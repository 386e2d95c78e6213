"""What an installation may set about 人才绿卡."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.settings import ServiceSettings


@dataclass(frozen=True)
class Settings(ServiceSettings):
    """Settings of 人才绿卡, ``TALENT_CARD_…``: so far only those every service has."""
