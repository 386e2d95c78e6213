"""What every channel that proves an identity has in common: started, advanced, and its outcomes.

A channel keeps nothing. What it needs to go on it hands out as ``Started.handle``, which is
stored sealed beside the challenge (``identity.verification.model.Challenge``) and handed back at
every ``advance``; so any process can go on with what another began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias


class Way(StrEnum):
    """What the person has to do."""

    QR = "qr"  # scan a code and confirm on the telephone
    REDIRECT = "redirect"  # go to another site and come back
    SIGNATURE = "signature"  # sign a text with a certificate's key
    FORM = "form"  # fill in a form; answered at once
    VISIT = "visit"  # come to a service hall


@dataclass(frozen=True, slots=True)
class Wish:
    """Who is to be proved, as far as known, and where the answer should go.

    For a login nothing is known: the channel says who it was.
    """

    kind: str  # person | unit
    name: str = field(default="", repr=False)
    number: str = field(default="", repr=False)  # document number, or the unit's USCC
    confirm: str = ""  # the number shown in the browser and on the telephone
    where: str = field(default="", repr=False)  # what the telephone shows of the browser
    back: str = ""  # our address: a callback, or where a redirect returns
    level: int = 0  # the least level asked for


@dataclass(frozen=True, slots=True)
class Started:
    """A challenge that waits for the person."""

    way: Way
    handle: Mapping[str, str] = field(repr=False)
    shown: str = field(default="", repr=False)  # a QR code's content, an address, a text to sign
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What an outside system vouches for."""

    provider: str
    reference: str
    kind: str  # person | unit
    name: str = field(repr=False)
    number: str = field(repr=False)
    answer_hash: bytes = field(repr=False)
    level: int | None = None  # on the province's scale, where the system says one
    role: str = ""  # a unit's: legal-representative, licence-manager, clerk
    document_type: str = ""
    phone: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)  # the system's own id of the account
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The person has not finished; ask again after a while."""

    scanned: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not succeed any more."""

    code: str
    message: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """It was this person or unit."""

    proof: Proof


Outcome: TypeAlias = Pending | Failed | Verified


class Channel(Protocol):
    """An outside system that proves who somebody is."""

    def start(self, wish: Wish, *, now: datetime) -> Started:
        """Begin.

        Raises:
            OutsideFailed: the system did not answer, tries included.
        """
        ...

    def advance(
        self, handle: Mapping[str, str], given: Mapping[str, str], *, now: datetime
    ) -> Outcome:
        """See how it stands; ``given`` is what the person or a callback brought.

        Raises:
            OutsideFailed: the system did not answer; the challenge stays as it was.
        """
        ...

    def health(self) -> bool:
        """Does the system answer at all?"""
        ...
