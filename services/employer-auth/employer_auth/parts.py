"""What the application lends to its endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from employer_auth.files import Upload
from employer_auth.person_match import PersonMatch
from employer_auth.settings import Settings
from servicekit.db import Database
from servicekit.key_rings import KeyRing
from servicekit.uploads import Uploads
from servicekit.web.session import app

KEY: Final = "employer-auth"


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once in ``create_app``."""

    settings: Settings
    keys: KeyRing
    person_match: PersonMatch
    uploads: Uploads[Upload]
    apart: Database  # a small pool beside the requests': for keys, and counts that must stay

    @property
    def parties(self) -> dict[str, str]:
        """Who signs mandates, and who they are meant for."""
        return {
            "issuer": f"{self.settings.public_url}/employer-auth",
            "audience": self.settings.issuer,
        }


def parts() -> Parts:
    """The parts of the application that answers this request."""
    found: Parts = app().extensions[KEY]
    return found
