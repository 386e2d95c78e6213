"""What the registry's peers share in the benchmark: everything that is no framework's own work.

Both do what the service does with a form: check an ES256 token (remembered for a minute, as ours
is) and the second level; take the Idempotency-Key first and keep the sealed answer under it; read
the application, its owner, version and state; validate; write it, its chained history entry, its
numbered event and the notification in one transaction; answer with masked personal values; continue
the trace; write the same JSON lines, looked through for personal data, and the same metrics.
They do not: revoke tokens, limit bodies, hold four kinds of callers apart, keep the version of the
guide, or answer refusals in Chinese.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import jwt
from uuid_utils import uuid7

from servicekit import history, logs, metrics, tracing, working_days
from servicekit.clock import SHANGHAI
from servicekit.numbers import application_number
from servicekit.personal import DocumentNumber, MobileNumber, PersonName
from servicekit.vault import Vault

TABLE = "flexible_employment_application"
BUSINESS = "employment-registry.flexible-employment"
AUDIENCE = "urn:jiuye:api"
REVIEW_DAYS = 5
YOUNGEST = 16
REMEMBERED = 60
TYPES = {"part-time", "self-employed", "platform", "other"}
STATES = {"draft": "暂存", "submitted": "待审核"}
MOVES = {"draft": ["save", "delete", "submit"], "submitted": ["withdraw", "urge"]}
EMPLOYMENT = (
    "employment_type",
    "started_on",
    "work_place",
    "address",
    "occupation",
    "monthly_income",
    "contact_phone",
)
vault = Vault(os.environ["PEER_FIELD_KEYS"], os.environ["PEER_INDEX_KEY"])
# The two counters, which no ORM has a word for.
NEXT_SERIAL = (
    "INSERT INTO serial AS s (name, day, last) VALUES (:name, :day, 1) "
    "ON CONFLICT (name, day) DO UPDATE SET last = s.last + 1 RETURNING last"
)
NEXT_SEQUENCE = (
    "INSERT INTO event_sequence AS s (matter, stream, subject, last, last_time) "
    "VALUES (:matter, :stream, :subject, 1, :time) ON CONFLICT (matter, stream, subject) "
    "DO UPDATE SET last = s.last + 1, previous_time = s.last_time, "
    "last_time = greatest(s.last_time, excluded.last_time) RETURNING last, previous_time"
)
SERVICE = "peer"
log = logs.get_logger()
logs.configure(SERVICE)
_keys = {key["kid"]: jwt.PyJWK(key) for key in json.loads(os.environ["PEER_KEYS"])["keys"]}
_known: dict[str, tuple[dict[str, Any], float]] = {}


class Refused(Exception):
    """Answered with a status and a code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Told:
    """One request: its ids, its line, its measurement, the headers every answer has."""

    def __init__(self, method: str, request_id: str, trace: str) -> None:
        self._method, self._started = method, time.perf_counter()
        self.headers = {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Request-Id": request_id,
            "traceparent": trace,
        }

    def answered(self, route: str, status: int, size: int) -> None:
        """The line and the measurement."""
        seconds = time.perf_counter() - self._started
        labels = (SERVICE, self._method, route, str(status))
        metrics.REQUEST_SECONDS.labels(*labels).observe(seconds)
        log.info(
            "request answered",
            method=self._method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            bytes_out=size,
            query=[],
            code=None,
        )


@contextmanager
def told(method: str, request_id: str, traceparent: str | None) -> Iterator[Told]:
    """Name the request and its trace on every line until it is answered."""
    with tracing.continued(traceparent) as here:
        logs.unbind_all()
        logs.bind(service=SERVICE, request_id=request_id)
        yield Told(method, request_id, here.header)


def moved(application_id: str) -> None:
    """Once it is committed."""
    metrics.MOVES.labels(BUSINESS, "submit", "submitted").inc()
    about = {"workflow": BUSINESS, "application_id": application_id, "move": "submit"}
    log.info("application moved", **about, before="draft", after="submitted")


def person(authorization: str) -> str:
    """The account of a person of second level.

    Raises:
        Refused: 401.
    """
    text = authorization.removeprefix("Bearer ")
    now = time.time()
    known = _known.get(text)
    if known is None or known[1] <= now:
        try:
            key = _keys[jwt.get_unverified_header(text)["kid"]]
            claims = jwt.decode(text, key, algorithms=["ES256"], audience=AUDIENCE)
        except (jwt.PyJWTError, KeyError) as error:
            raise Refused(401, "invalid-token") from error
        known = claims, min(claims["exp"], now + REMEMBERED)
        _known[text] = known
    claims = known[0]
    if claims["exp"] <= now or claims["sub_type"] != "person" or int(claims["acr"][-1]) < 2:
        raise Refused(401, "invalid-token")
    logs.bind(actor_id=claims["sub"])
    return str(claims["sub"])


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What a repeated request must equal."""
    key = os.environ["PEER_INDEX_KEY"].encode()
    return hmac.new(key, f"{method} {path}\n".encode() + body, hashlib.sha256).hexdigest()


def seen(if_match: str | None) -> int:
    """The version the caller saw."""
    if if_match is None:
        raise Refused(428, "version-needed")
    return int(if_match.strip('"'))


def check(application: Any, account: str, version: int) -> None:
    """Is it theirs, a draft, and as they saw it?

    Raises:
        Refused
    """
    if application is None or application.applicant_id != account:
        raise Refused(404, "application-not-found")
    if application.version != version:
        raise Refused(412, "changed-meanwhile")
    if application.state != "draft":
        raise Refused(409, "wrong-state")


def check_submission(application: Any, born_on: date, today: date) -> None:
    """Everything filled in, old enough, and begun by now."""
    if any(getattr(application, name) is None for name in EMPLOYMENT):
        raise Refused(422, "application-incomplete")
    if today.year - born_on.year < YOUNGEST or application.started_on > today:
        raise Refused(422, "application-incomplete")
    if len(application.work_place) != 9:
        raise Refused(422, "application-incomplete")


def today() -> tuple[datetime, date]:
    """Now, and the day in China."""
    now = datetime.now(UTC)
    return now, now.astimezone(SHANGHAI).date()


def due_on(day: date) -> date:
    """The officer's last day."""
    return working_days.add_working_days(day, REVIEW_DAYS)


def serial_name(region: str) -> str:
    """Under which numbers are counted."""
    return f"application:{region[:6]}:01"


def number(region: str, day: date, serial: int) -> str:
    """受理编号."""
    return application_number(region, "01", day, serial)


def entry(application_id: str, account: str, now: datetime, head: Any) -> dict[str, Any]:
    """The history entry after a lane's head, chained to it."""
    values: dict[str, Any] = {
        "id": str(uuid7()),
        "lane": head.lane,
        "position": head.position + 1,
        "application_id": application_id,
        "workflow": BUSINESS,
        "move": "submit",
        "before": "draft",
        "after": "submitted",
        "actor_id": account,
        "person_id": account,
        "role": "applicant",
        "at": now,
        "note": None,
        "previous_hash": head.hash,
    }
    content = history._content(values)
    values["hash"] = history._hash(head.hash, head.lane, head.position + 1, content)
    return values


def lane_of(application_id: str) -> int:
    """The chain an application's entries are in."""
    return history.lane_of(application_id)


def event(application: Any, now: datetime) -> dict[str, Any]:
    """The event's columns beside its number."""
    return {
        "id": str(uuid7()),
        "stream": "application",
        "type": f"{BUSINESS}.submitted.v1",
        "matter": "flexible-employment",
        "subject": application.id,
        "time": now,
        "traceparent": tracing.traceparent(),
        "data": {
            "applicant_id": application.applicant_id,
            "number": application.number,
            "business": BUSINESS,
            "region": application.region,
            "move": "submit",
            "before": "draft",
            "after": "submitted",
        },
    }


def masked(kind: type[PersonName | DocumentNumber | MobileNumber], text: str | None) -> str | None:
    """A personal value as it is shown."""
    return None if text is None else kind(text).mask()


def income(value: Decimal | None) -> str | None:
    """Money as text."""
    return None if value is None else f"{value:.2f}"
