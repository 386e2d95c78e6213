"""A browser as small as the demo needs: cookies, redirects by hand, forms out of HTML, an API call.

`requests` would neither keep `Secure` cookies over http on this machine, as browsers do for a
loopback address, nor show each redirect.
"""

import html.parser
import random
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import requests.adapters

MAX_REDIRECTS = 12
TIMEOUT = 20.0
REDIRECTS = {301, 302, 303, 307, 308}


class UnexpectedError(AssertionError):
    """An answer is not the one the life needs; the text says which request and what came."""


def expect(condition: bool, what: str) -> None:
    """Raises: UnexpectedError when what a life needs is not so."""
    if not condition:
        raise UnexpectedError(f"expected: {what}")


@dataclass
class Form:
    """An HTML form: where it goes, and its fields with the values they stand at."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)


@dataclass
class Answer:
    """What came back: status, headers, text, and the address it came from."""

    url: str
    status: int
    headers: Mapping[str, str]
    text: str
    json: Any = None

    @property
    def code(self) -> str:
        """The problem's code, or nothing."""
        return str(self.json.get("code", "")) if isinstance(self.json, dict) else ""

    def forms(self) -> list[Form]:
        """The page's forms."""
        reader = _FormReader(self.url)
        reader.feed(self.text)
        return reader.forms


class _FormReader(html.parser.HTMLParser):
    """Collects forms; the first radio or the checked one counts, as do selected options."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self.url, facts.get("action") or self.url)
            self.forms.append(Form(action, facts.get("method", "get").lower()))
        elif self.forms and tag in {"input", "textarea", "select", "button", "option"}:
            self._field(tag, facts)

    def _field(self, tag: str, facts: dict[str, str]) -> None:
        form, name = self.forms[-1], facts.get("name", "")
        if tag == "option":
            if self._select and ("selected" in facts or self._select not in form.fields):
                form.fields[self._select] = facts.get("value", "")
            return
        self._select = name if tag == "select" else ""
        if not name or tag == "select":
            return
        if "required" in facts:
            form.required.add(name)
        kind = facts.get("type", "text")
        if tag == "button" or kind in {"submit", "image", "reset", "button"}:
            return
        if kind in {"checkbox", "radio"} and "checked" not in facts:
            return
        form.fields[name] = facts.get("value", "on" if kind == "checkbox" else "")


class _OwnAddress(requests.adapters.HTTPAdapter):
    """Each browser has an address of its own on this machine, as people have: limits go by it."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        parts = [random.randrange(1, 255) for _ in range(3)]
        address = "127." + ".".join(str(part) for part in parts)
        super().init_poolmanager(*args, source_address=(address, 0), **options)


class Browser:
    """One person's browser at one gateway; `on_step` is told every request and its answer."""

    def __init__(
        self, base_url: str, on_step: Callable[[str, str, Any, Answer], None] | None = None
    ) -> None:
        """Open it at the gateway, without cookies."""
        self.base_url = base_url
        self.cookies: dict[str, str] = {}
        self._on_step = on_step or (lambda *_: None)
        self._http = requests.Session()
        self._http.trust_env = False
        if urlsplit(base_url).hostname == "127.0.0.1" and sys.platform == "linux":
            self._http.mount("http://", _OwnAddress())

    def open(self, path: str) -> Answer:
        """Open a page and follow where it leads."""
        return self._follow("GET", urljoin(self.base_url, path), None)

    def submit(self, form: Form, **values: str) -> Answer:
        """Fill in a form and send it, following where it leads."""
        filled = {**form.fields, **values}
        return self._follow(form.method.upper(), form.action, filled)

    def api(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        expect: int | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the API as the page's script would: cookie, key, same origin.

        Args: expect: the status that must come.
            key: the Idempotency-Key; a new one when none is given.
        Raises: UnexpectedError when another status comes.
        """
        sent = {"Accept": "application/json"}
        if method != "GET":
            sent["Idempotency-Key"] = key or str(uuid.uuid4())
            sent |= {"Origin": self.base_url, "Sec-Fetch-Site": "same-origin"}
        sent |= headers or {}
        answer = self._send(method, urljoin(self.base_url, path), json=body, headers=sent)
        if expect is not None and answer.status != expect:
            raise UnexpectedError(
                f"{method} {path}: {answer.status} instead of {expect}: {answer.text[:400]}"
            )
        return answer

    def raw(self, method: str, path: str, data: bytes, headers: Mapping[str, str]) -> Answer:
        """Send bytes as they are, for input no page would send."""
        sent = {"Origin": self.base_url, "Sec-Fetch-Site": "same-origin", **headers}
        return self._send(method, urljoin(self.base_url, path), data=data, headers=sent)

    def _follow(self, method: str, url: str, data: dict[str, str] | None) -> Answer:
        for _ in range(MAX_REDIRECTS):
            headers = {"Accept": "text/html"}
            if method == "POST":
                headers |= {"Origin": self.base_url, "Sec-Fetch-Site": "same-origin"}
            answer = self._send(method, url, data=data, headers=headers)
            if answer.status not in REDIRECTS:
                return answer
            url = urljoin(url, answer.headers["Location"])
            if urlsplit(url).netloc != urlsplit(self.base_url).netloc:
                raise UnexpectedError(f"redirected to another host: {url}")
            if answer.status not in {307, 308}:
                method, data = "GET", None
        raise UnexpectedError(f"more than {MAX_REDIRECTS} redirects, the last to {url}")

    def _send(self, method: str, url: str, *, headers: Mapping[str, str], **body: Any) -> Answer:
        sent = dict(headers)
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self._http.cookies.clear()
        got = self._http.request(
            method, url, headers=sent, allow_redirects=False, timeout=TIMEOUT, **body
        )
        for line in got.raw.headers.getlist("Set-Cookie"):
            self._keep(line)
        is_json = "json" in got.headers.get("Content-Type", "")
        parsed = got.json() if is_json and got.content else None
        got.encoding = "utf-8"
        answer = Answer(url, got.status_code, got.headers, got.text, parsed)
        self._on_step(method, url, body.get("json", body.get("data")), answer)
        return answer

    def _keep(self, line: str) -> None:
        for name, morsel in SimpleCookie(line).items():
            if morsel["max-age"] == "0" or not morsel.value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.coded_value
