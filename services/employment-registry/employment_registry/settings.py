"""What an installation may set about the employment registry."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.settings import ServiceSettings, setting


@dataclass(frozen=True)
class Settings(ServiceSettings):
    """Settings of the employment registry, ``EMPLOYMENT_REGISTRY_…``."""

    certificate_keys: str = setting(
        "Keys that sign certificates, newest first: k2:<base64 of 32 bytes>,k1:….", secret=True
    )
