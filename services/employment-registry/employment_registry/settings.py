"""What an installation may set about the employment registry."""

from __future__ import annotations

from dataclasses import dataclass

from employment_registry.outside_settings import OutsideSettings
from servicekit.settings import BadSettings, ServiceSettings
from servicekit.storage import StorageSettings


@dataclass(frozen=True)
class Settings(OutsideSettings, StorageSettings, ServiceSettings):
    """Settings of the employment registry, ``EMPLOYMENT_REGISTRY_…``."""

    def __post_init__(self) -> None:
        """Refuse what contradicts production.

        Raises:
            BadSettings: naming each.
        """
        if self.environment == "production" and (wrong := self.unfit_outside()):
            raise BadSettings("\n".join(wrong))
