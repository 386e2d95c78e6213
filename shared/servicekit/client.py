"""Calls to other systems over HTTP: never without a time limit, never in vain for long.

``requests`` stops here: whatever goes wrong outside becomes ``Unavailable``, with the sentence
people know (PRT-07).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from requests import RequestException, Response, Session
from urllib3.exceptions import HTTPError

from servicekit import logs, tracing, turns
from servicekit.errors import JSON, OutsideFailed
from servicekit.settings import BadSettings

log = logs.get_logger()

TRIES: Final = 2  # of a safe call
FAILURES: Final = 5  # in a row, then the breaker opens
OPEN_SECONDS: Final = 10.0
SIMULATOR_SECONDS: Final = 2.0  # to look whether one answers
MAX_ANSWER: Final = 4 * 1024 * 1024
PIECE: Final = 64 * 1024  # bytes read at a time
LONGEST: Final = 3  # time limits, until all of an answer is there
SIMULATOR: Final = "X-Simulator"  # what every simulator's answer carries


class OutsideUnavailable(OutsideFailed):
    """Another system does not answer; nothing is lost, the same wish may succeed later."""

    def __init__(self, name: str) -> None:
        super().__init__(extra={"retryable": True, "system": name}, retry_after=10)


class Answered(Exception):
    """The other system answered with an error of its own; what it means is the adapter's to say."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body


class Client:
    """One other system.

    Args:
        base_url: put before every path.
        timeout: seconds to connect and between two bytes; an answer that comes drop by drop is
            given up after ``LONGEST`` of them.
        name: for logs and the problem document; never an address.
        headers: sent with every call.
        simulators: may a simulator answer? In production nothing it says is believed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float = 5.0,
        name: str = "outside",
        headers: Mapping[str, str] | None = None,
        simulators: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._name = name
        self._headers = dict(headers or {})
        self._simulators = simulators
        self._clock = clock
        self._breaker = _Breaker(clock)
        self._local = threading.local()

    def get(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Read JSON; tried twice, because reading changes nothing.

        Raises:
            OutsideUnavailable: no answer, or not one we understand.
            Answered: an answer with a status of 400 or above that is not an outage.
        """
        return self._call("GET", path, tries=TRIES, params=query, headers=headers)

    def get_bytes(self, path: str, *, headers: Mapping[str, str] | None = None) -> bytes:
        """Read what is not JSON, a list of revoked certificates say; tried twice.

        Raises:
            OutsideUnavailable, Answered: as for :meth:`get`.
        """
        read: bytes = self._call("GET", path, tries=TRIES, headers=headers, raw=True)
        return read

    def post(
        self,
        path: str,
        body: JSON = None,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        raw: bool = False,
    ) -> Any:
        """Send JSON or a form, once; twice if the caller says that it may be repeated.

        Args:
            raw: the answer is bytes, whatever they are.

        Raises:
            OutsideUnavailable, Answered: as for :meth:`get`.
        """
        sent: dict[str, Any] = {"data": dict(form)} if form is not None else {"json": body}
        tries = TRIES if repeatable else 1
        return self._call("POST", path, tries=tries, headers=headers, raw=raw, **sent)

    def is_simulator(self) -> bool:
        """Does a simulator answer there? Whoever does not answer at all is none."""
        try:
            with self._session().get(
                self._base_url, timeout=self._timeout, allow_redirects=False, stream=True
            ) as answer:
                return SIMULATOR in answer.headers
        except RequestException:
            return False

    def _call(
        self,
        method: str,
        path: str,
        *,
        tries: int,
        headers: Mapping[str, str] | None,
        raw: bool = False,
        **sent: Any,
    ) -> Any:
        if not self._breaker.lets_through():
            raise OutsideUnavailable(self._name)
        for left in reversed(range(tries)):
            status, body = self._try(method, path, headers, sent, raw=raw)
            if status is not None and status < HTTPStatus.INTERNAL_SERVER_ERROR:
                self._breaker.succeeded()
                if status >= HTTPStatus.BAD_REQUEST:
                    raise Answered(status, body)
                return body
            if left == 0:
                break
        self._breaker.failed()
        raise OutsideUnavailable(self._name)

    def _try(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None,
        sent: dict[str, Any],
        *,
        raw: bool,
    ) -> tuple[int | None, Any]:
        turns.step_aside()
        started = self._clock()
        try:
            with self._session().request(
                method,
                self._base_url + path,
                timeout=self._timeout,
                allow_redirects=False,
                headers=self._all_headers(headers),
                stream=True,
                **sent,
            ) as response:
                if not self._simulators and SIMULATOR in response.headers:
                    raise ValueError("a simulator answers where real people are")
                read = self._read(response, started + LONGEST * self._timeout)
            status, body = response.status_code, read if raw else orjson.loads(read or b"null")
        except (RequestException, HTTPError, ValueError) as error:
            # Not the error's text: it holds the address, and the address may hold an id.
            log.warning("outside call failed", system=self._name, error=type(error).__name__)
            return None, None
        milliseconds = round((self._clock() - started) * 1000, 1)
        log.debug("outside call", system=self._name, status=status, milliseconds=milliseconds)
        return status, body

    def _read(self, response: Response, until: float) -> bytes:
        """The whole body: no more of it than we hold, and not for ever."""
        read = bytearray()
        while piece := response.raw.read1(PIECE, decode_content=True):
            read += piece
            if len(read) > MAX_ANSWER:
                raise ValueError("the answer is too large")
            if self._clock() > until:
                raise ValueError("the answer takes too long")
        return bytes(read)

    def _all_headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        everything = {"Accept": "application/json", **self._headers, **(headers or {})}
        here = tracing.current()
        return everything if here is None else {**everything, "traceparent": here.child().header}

    def _session(self) -> Session:
        # One per thread: requests does not promise that a session may be shared.
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _Session()
            session.trust_env = False  # no proxy and no credentials from the environment
        return session


def refuse_simulators(addresses: Mapping[str, str]) -> None:
    """Look at every address once: a name that looks real may still lead to a simulator.

    Args:
        addresses: by the variable that holds each (``settings.outside_addresses``).

    Raises:
        BadSettings: naming each. Who does not answer now is looked at with every answer.
    """
    wrong = [
        f"{variable} is answered by a simulator"
        for variable, address in addresses.items()
        if Client(address, timeout=SIMULATOR_SECONDS, name=variable).is_simulator()
    ]
    if wrong:
        raise BadSettings("\n".join(wrong))


class _Session(Session):
    """Follows nobody: ``requests`` would read a redirect's body whole, however long, to look on."""

    def get_redirect_target(self, resp: Response) -> str | None:
        return None


class _Breaker:
    """Opens after failures in a row; then lets one call through now and then."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_from = 0.0

    def lets_through(self) -> bool:
        with self._lock:
            if self._failures < FAILURES:
                return True
            now = self._clock()
            if now < self._closed_from:
                return False
            self._closed_from = now + OPEN_SECONDS  # this caller tries for everybody
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._closed_from = self._clock() + OPEN_SECONDS
