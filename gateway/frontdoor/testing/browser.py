"""A browser without pages: it keeps cookies and walks through a login."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from frontdoor.testing.running import Answer, Running

_LONGEST_COOKIE = 4096


@dataclass
class Browser:
    """Keeps cookies and follows nothing by itself."""

    gateway: Running
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        target: str,
        method: str = "GET",
        fields: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """One request with the cookies."""
        asked = dict(fields or {})
        if self.cookies:
            asked["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        answer = self.gateway.ask(target, method, asked, body)
        for line in answer.all("set-cookie"):
            self._take(line)
        return answer

    def _take(self, line: str) -> None:
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
        assert name.startswith("__Host-")
        assert len(line) < _LONGEST_COOKIE
        if "Max-Age=0" in attributes:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def go(self, location: str) -> Answer:
        """Follow a redirect within the gateway."""
        parts = urlsplit(location)
        assert parts.netloc in ("", f"127.0.0.1:{self.gateway.port}")
        return self.ask(f"{parts.path}?{parts.query}")

    def log_in(self, return_to: str = "/api/mine") -> Answer:
        """The whole way; identity knows the person already."""
        first = self.ask(f"/sso/login?return_to={return_to}")
        assert first.status == 302  # noqa: PLR2004 - a redirect
        back = self.go(first.one("location") or "")
        assert back.status == 302  # noqa: PLR2004 - a redirect
        return self.go(back.one("location") or "")
