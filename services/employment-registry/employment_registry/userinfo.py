"""Reads who a person is from identity, with that person's own token and no other right."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Any, Final

from employment_registry.person import BirthDate, Person, person_key
from servicekit import messages
from servicekit.client import Answered, Client
from servicekit.errors import Unauthenticated, Unavailable
from servicekit.identifiers import DocumentKind
from servicekit.personal import DocumentNumber, MobileNumber, PersonName

PATH: Final = "/identity/userinfo"
TIMEOUT_SECONDS: Final = 3.0
RETRY_AFTER_SECONDS: Final = 5


class IdentityUnavailable(Unavailable):
    """PRT-07: nothing is lost, and the same request may be sent again with the same key."""

    code = messages.EXTERNAL_UNAVAILABLE.code
    default_message = messages.EXTERNAL_UNAVAILABLE.text


class Userinfo:
    """The person behind a token.

    Args:
        client: knows where identity is.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self, token: str, subject: str) -> Person:
        """Ask identity who the bearer is.

        Args:
            subject: whom the token names; the answer is about nobody else (OpenID Connect 5.3.2).

        Raises:
            IdentityUnavailable: no answer in time, or one that does not name the person.
            Unauthenticated: the session behind the token has ended.
        """
        try:
            answer = self._client.get(PATH, headers={"Authorization": f"Bearer {token}"})
            return _person(answer, subject)
        except Answered as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                raise Unauthenticated from None
            raise _unavailable() from None
        except (Unavailable, KeyError, TypeError, ValueError, AttributeError):
            raise _unavailable() from None  # the cause may quote what identity said


def _unavailable() -> IdentityUnavailable:
    return IdentityUnavailable(extra={"retryable": True}, retry_after=RETRY_AFTER_SECONDS)


def _person(claims: Any, subject: str) -> Person:
    if claims["sub"] != subject:
        raise ValueError("somebody else's data")
    kind = DocumentKind(claims["document_type"])
    number = claims["document_number"]
    born = date.fromisoformat(claims["birthdate"])
    phone = claims.get("phone_number")
    return Person(
        name=PersonName(claims["name"]),
        document_kind=kind.value,
        document_number=DocumentNumber(number),
        key=person_key(kind, number),
        born_on=BirthDate(born.isoformat()),
        sex=claims["gender"],
        phone=MobileNumber(phone) if phone else None,
    )
