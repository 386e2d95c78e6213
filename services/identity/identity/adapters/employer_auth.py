"""employer-auth, asked with a person's own token: which units, and the mandate for one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from servicekit.client import Answered, Client, OutsideUnavailable


class NotBound(Exception):
    """The person may not act for this unit, or not any more."""


@dataclass(frozen=True, slots=True)
class ActingUnit:
    """One unit a person may act for (以法人身份登录)."""

    unit_id: str
    binding_id: str
    name: str
    uscc: str
    via: str | None  # the agency's name, where the mandate is handed on


class EmployerAuth(Protocol):
    """Who may act for whom."""

    def list_units(self, token: str) -> Sequence[ActingUnit]:
        """The units of the token's person, now.

        Raises:
            OutsideUnavailable: employer-auth does not answer.
        """
        ...

    def make_mandate(self, token: str, *, unit_id: str, binding_id: str) -> str:
        """A mandate for one of them.

        Raises:
            NotBound: there is no such binding, or it does not work now.
            OutsideUnavailable: employer-auth does not answer.
        """
        ...


class HttpEmployerAuth:
    """Over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list_units(self, token: str) -> Sequence[ActingUnit]:
        """As :class:`EmployerAuth` says; whoever may not ask has none."""
        try:
            answer = self._client.get("/api/employer-auth/v1/acting-units", headers=_with(token))
            return [_read(item) for item in answer["items"]]
        except Answered:
            return []
        except (KeyError, TypeError):
            raise OutsideUnavailable("employer-auth") from None

    def make_mandate(self, token: str, *, unit_id: str, binding_id: str) -> str:
        """As :class:`EmployerAuth` says."""
        try:
            answer = self._client.post(
                "/api/employer-auth/v1/mandates",
                {"unit_id": unit_id, "binding_id": binding_id},
                headers=_with(token),
            )
            return str(answer["mandate"])
        except Answered:
            raise NotBound from None
        except (KeyError, TypeError):
            raise OutsideUnavailable("employer-auth") from None


def _with(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _read(item: Mapping[str, Any]) -> ActingUnit:
    via = item.get("via")
    return ActingUnit(
        unit_id=item["unit_id"],
        binding_id=item["binding_id"],
        name=item["name"],
        uscc=item["uscc"],
        via=None if via is None else via["name"],
    )
