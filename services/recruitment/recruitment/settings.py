"""What an installation may set about 公共招聘."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.settings import ServiceSettings


@dataclass(frozen=True)
class Settings(ServiceSettings):
    """Settings of 公共招聘, ``RECRUITMENT_…``: so far only those every service has."""
