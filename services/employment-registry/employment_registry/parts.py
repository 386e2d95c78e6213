"""What the application lends to its endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from employment_registry.settings import Settings
from employment_registry.userinfo import Userinfo
from servicekit.web.session import app

KEY: Final = "employment-registry"


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once in ``create_app``."""

    settings: Settings
    userinfo: Userinfo


def parts() -> Parts:
    """The parts of the application that answers this request."""
    found: Parts = app().extensions[KEY]
    return found
