"""employer-auth, asked by whoever signed in: whom one acts for, and who acts for one's unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Protocol

from identity.agents.rules import Side
from servicekit.client import Answered, Client, OutsideUnavailable
from servicekit.columns import new_id
from servicekit.errors import Conflict, FieldError, NotFound, Refusal
from servicekit.personal import DocumentNumber, PersonalText, PersonName

_HOME: Final = "/api/employer-auth/v1"


class AgentsRefused(Conflict):
    """employer-auth said no, in its own words, which people may read."""

    code = "agents-refused"


class NoSuchBinding(NotFound):
    """There is none, or it is somebody else's."""

    code = "binding-not-found"
    default_message = "未找到该绑定信息，请刷新列表后重试。"


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a unit asks for (发起绑定)."""

    login_name: PersonalText = field(repr=False)
    name: PersonName = field(repr=False)
    document_number: DocumentNumber = field(repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """Some bindings, newest first, as employer-auth shows them, and the next part's cursor."""

    items: Sequence[Mapping[str, Any]]
    next_cursor: str | None


class Agents(Protocol):
    """Bindings from either side; every method raises OutsideUnavailable when nobody answers."""

    def list_bindings(self, token: str, side: Side, *, cursor: str | None) -> Part:
        """One's own, twenty at a time.

        Raises:
            AgentsRefused
        """
        ...

    def show(
        self, token: str, side: Side, binding_id: str
    ) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
        """One binding, and its grants.

        Raises:
            NoSuchBinding, AgentsRefused
        """
        ...

    def move(self, token: str, side: Side, binding_id: str, name: str) -> None:
        """Accept, decline or leave; cancel or release.

        Raises:
            NoSuchBinding, AgentsRefused
        """
        ...

    def invite(self, token: str, invited: Invited) -> None:
        """Ask a person to act for the unit.

        Raises:
            AgentsRefused
        """
        ...


class HttpAgents:
    """Over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list_bindings(self, token: str, side: Side, *, cursor: str | None) -> Part:
        """As :class:`Agents` says."""
        answer = self._get(token, f"{_HOME}/{side}", {"cursor": cursor} if cursor else {})
        return Part(answer["items"], answer["next_cursor"])

    def show(
        self, token: str, side: Side, binding_id: str
    ) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
        """As :class:`Agents` says."""
        path = f"{_HOME}/{side}/{binding_id}"
        return self._get(token, path), self._get(token, f"{path}/grants")["items"]

    def move(self, token: str, side: Side, binding_id: str, name: str) -> None:
        """As :class:`Agents` says."""
        self._post(token, f"{_HOME}/{side}/{binding_id}/{name}", {})

    def invite(self, token: str, invited: Invited) -> None:
        """As :class:`Agents` says."""
        body = {
            "login_name": invited.login_name.expose(),
            "name": invited.name.expose(),
            "document_number": invited.document_number.expose(),
        }
        self._post(token, f"{_HOME}/{Side.UNIT}", body)

    def _get(self, token: str, path: str, query: Mapping[str, str] | None = None) -> Any:
        try:
            return self._client.get(path, query=query, headers=_with(token))
        except Answered as error:
            raise _refused(error) from None

    def _post(self, token: str, path: str, body: Mapping[str, str]) -> None:
        # One key for one form: tried twice it is one invitation.
        headers = {**_with(token), "Idempotency-Key": new_id()}
        try:
            self._client.post(path, dict(body), headers=headers, repeatable=True)
        except Answered as error:
            raise _refused(error) from None


def _with(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _refused(error: Answered) -> Refusal:
    if error.status == HTTPStatus.NOT_FOUND and _said(error, "code") == NoSuchBinding.code:
        return NoSuchBinding()
    detail = _said(error, "detail")
    if detail is None:
        return OutsideUnavailable("employer-auth")
    fields = [
        FieldError(str(each["field"]), str(each["code"]), str(each["message"]))
        for each in error.body.get("errors", ())
    ]
    return AgentsRefused(detail, fields=fields)


def _said(error: Answered, name: str) -> str | None:
    body = error.body
    return str(body[name]) if isinstance(body, dict) and name in body else None
