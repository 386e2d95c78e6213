"""What may a wallet ask for, how long is an offer good, and what is a wallet told otherwise?"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from servicekit.errors import Conflict

CONFIGURATION: Final = "employment-certificate"  # credential_configuration_id
PRE_AUTHORIZED: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
OFFER_LIFE: Final = timedelta(minutes=10)
TOKEN_LIFE: Final = timedelta(minutes=10)
NONCE_LIFE: Final = timedelta(minutes=5)
COPY_LIFE: Final = timedelta(days=365)  # then it is fetched anew; its status tells before that
CODE_DIGITS: Final = 6  # of the transaction code
MOST_TRIES: Final = 5  # at it; then the person makes another offer
BATCH: Final = 5  # copies in one answer
MOST_COPIES: Final = 10  # for one offer: one whole batch may be lost on the way
PROOF_SKEW: Final = timedelta(minutes=5)  # a proof's iat may be off by this


class Error(StrEnum):
    """The words of RFC 6749 5.2, RFC 6750 3.1 and OpenID4VCI 1.0 8.3.1 and 11.3."""

    INVALID_REQUEST = "invalid_request"
    INVALID_GRANT = "invalid_grant"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - a word
    INVALID_CREDENTIAL_REQUEST = "invalid_credential_request"
    UNKNOWN_CREDENTIAL_CONFIGURATION = "unknown_credential_configuration"
    UNKNOWN_CREDENTIAL_IDENTIFIER = "unknown_credential_identifier"
    INVALID_PROOF = "invalid_proof"
    INVALID_NONCE = "invalid_nonce"
    INVALID_ENCRYPTION_PARAMETERS = "invalid_encryption_parameters"
    CREDENTIAL_REQUEST_DENIED = "credential_request_denied"
    INVALID_NOTIFICATION_ID = "invalid_notification_id"
    INVALID_NOTIFICATION_REQUEST = "invalid_notification_request"


class Refused(Exception):
    """What a wallet is told; never more than its specification has a word for."""

    def __init__(self, error: Error, description: str) -> None:
        self.error = error
        self.description = description
        super().__init__(error)


class NoCopies(Conflict):
    """There is nothing to take back."""

    code = "no-wallet-copies"
    default_message = "您的电子钱包中没有有效的就业创业证。"


class Event(StrEnum):
    """What became of the copies, as the wallet says it (OpenID4VCI 1.0, 11.1)."""

    ACCEPTED = "credential_accepted"
    FAILURE = "credential_failure"
    DELETED = "credential_deleted"

    @property
    def ends(self) -> bool:
        """Nobody holds the copies any more."""
        return self is not Event.ACCEPTED


@dataclass(frozen=True, slots=True, repr=False)
class TokenRequest:
    """A pre-authorized code with its transaction code (OpenID4VCI 1.0, 6.1)."""

    code: str
    transaction_code: str


def read_token_request(form: Mapping[str, str]) -> TokenRequest:
    """The token request in a form, whose fields come once each.

    Raises:
        Refused: RFC 6749 5.2; a missing transaction code is ``invalid_request`` (6.3).
    """
    if not form.get("grant_type"):
        raise Refused(Error.INVALID_REQUEST, "'grant_type' is missing.")
    if form["grant_type"] != PRE_AUTHORIZED:
        raise Refused(Error.UNSUPPORTED_GRANT_TYPE, "Only the pre-authorized code is exchanged.")
    for name in ("pre-authorized_code", "tx_code"):
        if not form.get(name):
            raise Refused(Error.INVALID_REQUEST, f"'{name}' is missing.")
    return TokenRequest(form["pre-authorized_code"], form["tx_code"])


@dataclass(frozen=True, slots=True)
class OfferState:
    """What decides whether an offer can still be taken up."""

    expires_at: datetime
    used_at: datetime | None
    tries: int
    code_hash: bytes


def takes(offer: OfferState, guess: bytes, *, now: datetime) -> bool:
    """Is this the transaction code of an offer that is fresh, unused and not guessed at too often?

    Raises:
        Refused: the offer is worth nothing, whatever the code.
    """
    if offer.used_at is not None or offer.expires_at <= now or offer.tries >= MOST_TRIES:
        raise Refused(Error.INVALID_GRANT, "The code is unknown, used up or too old.")
    return hmac.compare_digest(offer.code_hash, guess)


def read_proofs(body: Any) -> tuple[str, ...]:
    """The key proofs of a credential request (OpenID4VCI 1.0, 8.2).

    Args:
        body: the JSON document; members nobody knows are passed over, as 8.2 asks.

    Raises:
        Refused: 8.3.1.2.
    """
    if not isinstance(body, dict):
        raise Refused(Error.INVALID_CREDENTIAL_REQUEST, "A JSON object is needed.")
    if "credential_identifier" in body:
        raise Refused(Error.UNKNOWN_CREDENTIAL_IDENTIFIER, "No identifiers were given out.")
    wanted = body.get("credential_configuration_id")
    if not isinstance(wanted, str):
        raise Refused(Error.INVALID_CREDENTIAL_REQUEST, "'credential_configuration_id' is missing.")
    if wanted != CONFIGURATION:
        raise Refused(Error.UNKNOWN_CREDENTIAL_CONFIGURATION, "There is no such credential.")
    if body.get("credential_response_encryption") is not None:
        raise Refused(Error.INVALID_ENCRYPTION_PARAMETERS, "Answers are not encrypted here.")
    proofs = body.get("proofs")
    jwts = proofs.get("jwt") if isinstance(proofs, dict) and len(proofs) == 1 else None
    if not isinstance(jwts, list) or not jwts or not all(isinstance(one, str) for one in jwts):
        raise Refused(Error.INVALID_PROOF, "'proofs' holds a list 'jwt' and nothing else.")
    if len(jwts) > BATCH:
        raise Refused(Error.INVALID_CREDENTIAL_REQUEST, f"At most {BATCH} at once.")
    return tuple(jwts)


def hour_of(now: datetime) -> datetime:
    """When a copy says it was made: to the hour, so that nobody is known by the second."""
    return now.replace(minute=0, second=0, microsecond=0)


def check_copies(already: int, wanted: int) -> None:
    """One offer fills one wallet.

    Raises:
        Refused: it has had enough.
    """
    if already + wanted > MOST_COPIES:
        raise Refused(Error.CREDENTIAL_REQUEST_DENIED, "The offer is used up.")


def read_notification(body: Any) -> tuple[str, Event]:
    """The notification's id, and what happened.

    Raises:
        Refused: 11.3.
    """
    given = body if isinstance(body, dict) else {}
    notification, event = given.get("notification_id"), given.get("event")
    if not isinstance(notification, str) or event not in list(Event):
        raise Refused(Error.INVALID_NOTIFICATION_REQUEST, "'notification_id' and 'event' needed.")
    return notification, Event(event)
