"""Speaks to a service as the gateway does: bearer token, Idempotency-Key, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from servicekit.columns import new_id

_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class ApiClient:
    """One caller of one service; ``as_`` makes another caller of the same service.

    Args:
        prefix: put before addresses that do not begin with ``/api/`` or ``/``.
    """

    app: Flask
    token: str | None = None
    prefix: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_(self, token: str | None) -> ApiClient:
        """The same service, asked by somebody else."""
        return replace(self, token=token)

    def get(self, path: str, **query: Any) -> TestResponse:
        """Read."""
        given = {name: value for name, value in query.items() if value is not None}
        return self.call("GET", path, query_string=given)

    def post(self, path: str, body: Any = None, **how: Any) -> TestResponse:
        """Send JSON under a fresh key; ``key=`` repeats one, ``key=None`` leaves it out."""
        return self.call("POST", path, body, **how)

    def patch(self, path: str, body: Any, **how: Any) -> TestResponse:
        """Change a part; ``version=`` says which version was seen."""
        return self.call("PATCH", path, body, **how)

    def put(self, path: str, body: Any, **how: Any) -> TestResponse:
        """Replace; ``version=`` says which version was seen."""
        return self.call("PUT", path, body, **how)

    def delete(self, path: str, **how: Any) -> TestResponse:
        """Remove; ``version=`` says which version was seen."""
        return self.call("DELETE", path, **how)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "",
        version: int | str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> TestResponse:
        """Any request; ``data=`` sends bytes as they are."""
        sent = dict(self.headers)
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        if method in _UNSAFE and key is not None:
            sent["Idempotency-Key"] = key or new_id()
        if version is not None:
            sent["If-Match"] = f'"{version}"' if isinstance(version, int) else version
        if body is not None:
            options |= {"data": json.dumps(body), "content_type": "application/json"}
        address = path if path.startswith("/api/") else self.prefix + path
        sent |= headers or {}
        return self.app.test_client().open(address, method=method, headers=sent, **options)


Step = Callable[[str], TestResponse]


def moving(client: ApiClient, move: str, **body: Any) -> Step:
    """A step of :func:`walk`: this caller makes this move."""
    return lambda address: client.post(f"{address}/{move}", body)


def walk(address: str, steps: Iterable[Step]) -> dict[str, Any]:
    """Take one application through its moves, each of which must succeed.

    Args:
        address: of the application, ``/flexible-employment-registrations/<id>``.
        steps: made by :func:`moving`.

    Returns: the application as the last step showed it.
    """
    shown: dict[str, Any] = {}
    for step in steps:
        answer = step(address)
        assert answer.status_code == HTTPStatus.OK, answer.get_data(as_text=True)
        shown = answer.get_json()
    return shown
