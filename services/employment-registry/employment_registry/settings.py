"""What an installation may set about the employment registry."""

from __future__ import annotations

from dataclasses import dataclass

from servicekit.settings import ServiceSettings, setting


@dataclass(frozen=True)
class Settings(ServiceSettings):
    """Settings of the employment registry, ``EMPLOYMENT_REGISTRY_…``."""

    # Guangdong's time limit was not found in public sources; five working days is our own default.
    review_working_days: int = setting(
        "Working days an officer has to decide on an application.", default=5
    )
    unemployment_look_back_days: int = setting(
        "How many days ago a person may have lost work who registers as unemployed.", default=183
    )
    certificate_keys: str = setting(
        "Keys that sign certificates, newest first: k2:<base64 of 32 bytes>,k1:….", secret=True
    )
