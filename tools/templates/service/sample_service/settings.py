"""What an installation may set about 示例服务."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.settings import ServiceSettings


@dataclass(frozen=True)
class Settings(ServiceSettings):
    """Settings of 示例服务, ``SAMPLE_SERVICE_…``: so far only those every service has."""
