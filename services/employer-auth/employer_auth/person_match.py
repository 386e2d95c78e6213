"""Asks identity whose account a unit means; identity says which, or nothing (EA-02)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from servicekit.client import Answered, Client, OutsideUnavailable
from servicekit.errors import TooMany
from servicekit.personal import DocumentNumber, Personal, PersonName
from servicekit.service_token import ServiceToken

PATH: Final = "/api/identity/v1/person-matches"
CLIENT_ID: Final = "jiuye-employer-auth"
SCOPE: Final = "accounts.match notices revocations"
RETRY_AFTER_SECONDS: Final = 3600  # identity's window
# Malformed is as good as unknown to whoever asks.
_NO: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)


class AskedTooOften(TooMany):
    """Somebody, maybe many units, asked about one person too often."""

    code = "too-many-matches"
    default_message = "对该用户的查询过于频繁，请一小时后再发起绑定。"


@dataclass(frozen=True, slots=True)
class Found:
    """The account that fits everything, and its level on HRSS's scale."""

    account_id: str
    level: int


class PersonMatch:
    """Who is behind a login name, a name and a document number.

    Args:
        client: knows where identity is.
        token: ours, with the scope ``accounts.match``.
    """

    def __init__(self, client: Client, token: ServiceToken) -> None:
        self._client = client
        self._token = token

    def find(self, login_name: Personal, name: PersonName, number: DocumentNumber) -> Found | None:
        """The one registered person all three belong to; None when anything does not match.

        Raises:
            OutsideUnavailable: identity does not answer now.
            AskedTooOften: identity answers nobody about this person for a while.
        """
        asked = {
            "login_name": login_name.expose(),
            "name": name.expose(),
            "document_number": number.expose(),
        }
        for _ in range(2):  # a token that was refused is asked for anew, once
            try:
                answer = self._client.post(
                    PATH, asked, headers=self._token.headers(), repeatable=True
                )
                return Found(str(answer["account_id"]), int(answer["level"]))
            except Answered as error:
                if error.status in _NO:
                    return None
                if error.status == HTTPStatus.TOO_MANY_REQUESTS:
                    raise AskedTooOften(retry_after=RETRY_AFTER_SECONDS) from None
                if error.status != HTTPStatus.UNAUTHORIZED:
                    break
                self._token.forget()
            except (KeyError, TypeError, ValueError):
                break
        raise OutsideUnavailable("identity")
