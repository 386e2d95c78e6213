"""What an installation may set about 单位授权."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.settings import ServiceSettings


@dataclass(frozen=True)
class Settings(ServiceSettings):
    """Settings of 单位授权, ``EMPLOYER_AUTH_…``: so far only those every service has."""
