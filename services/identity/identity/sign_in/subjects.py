"""Who a person is for a client: the account's id for us, a pseudonym per sector for others.

Two systems that compare what they were told about one person find nothing in common: neither the
subject nor the session has the same name at both (OpenID Core 8.1).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final, Protocol

from servicekit.vault import CannotOpen, Vault

_REFERENCE: Final = "access_token.ref"


class HasSector(Protocol):
    """A client, as far as it matters here."""

    @property
    def sector(self) -> str | None:
        """The host its pseudonyms are made for; None for our own."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Makes the names.

    Args:
        vault: its index key makes pseudonyms nobody can compute who has not got it.
    """

    vault: Vault

    def subject(self, client: HasSector, account_id: str) -> str:
        """``sub`` in id tokens, at userinfo and in logout tokens."""
        return self._name(client.sector, account_id, "subject")

    def session(self, client: HasSector, session_id: str) -> str:
        """``sid`` in id tokens and logout tokens."""
        return self._name(client.sector, session_id, "session")

    def seal(self, session_id: str) -> str:
        """The session inside an access token its reader must not recognise."""
        return base64.urlsafe_b64encode(self.vault.seal(session_id, _REFERENCE)).decode()

    def open(self, reference: str) -> str | None:
        """The session again; None for anything we did not seal."""
        try:
            return self.vault.open(base64.urlsafe_b64decode(reference), _REFERENCE)
        except (binascii.Error, CannotOpen, ValueError):
            return None

    def _name(self, sector: str | None, what: str, kind: str) -> str:
        if sector is None:
            return what
        made = self.vault.index(f"{sector}\n{what}", f"pairwise.{kind}")
        return base64.urlsafe_b64encode(made).decode().rstrip("=")
