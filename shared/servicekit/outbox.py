"""Announcing: an event is a row beside the change it tells of, numbered per subject.

The relay carries the rows to the bus afterwards (``servicekit.relay``), so an event exists
exactly when its change does, whatever is killed when.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from servicekit import tracing
from servicekit.db import new_id
from servicekit.statements import run

APPLICATION = "application"  # state facts, written by advance
FACT = "fact"  # everything else
CHANNEL = "outbox"

MAX_DATA_BYTES = 64 * 1024  # events carry ids and states; a document belongs to its owner's API

_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*\.v[1-9][0-9]*")

# The counter's row lock is taken first and held until the commit, so numbers, positions and
# commits of one subject agree; `position` is drawn after the lock. Both go in one round trip, and
# with the history's entry where there is one (``servicekit.history``).
_VALUES: Final = """
    SELECT %(event_matter)s, %(event_stream)s, %(event_subject)s, 1, %(event_time)s::timestamptz
"""
_COUNT: Final = """
    ON CONFLICT (matter, stream, subject) DO UPDATE SET
        last = s.last + 1,
        previous_time = s.last_time,
        last_time = greatest(s.last_time, excluded.last_time)
    RETURNING last, previous_time)
    INSERT INTO outbox
        (id, stream, type, matter, subject, sequence, preceded_at, time, data, traceparent)
    SELECT %(event_id)s, %(event_stream)s, %(event_type)s, %(event_matter)s, %(event_subject)s,
        last, previous_time, %(event_time)s, %(event_data)s::jsonb, %(event_traceparent)s
    FROM counter
    RETURNING pg_notify('outbox', '')
"""
_COUNTER: Final = "counter AS (INSERT INTO event_sequence AS s "
_COLUMNS: Final = "(matter, stream, subject, last, last_time) "
_ANNOUNCE: Final = f"WITH {_COUNTER}{_COLUMNS}{_VALUES}{_COUNT}"
# Behind the `WITH` of a statement that has a row in its `entry`.
ANNOUNCED_WITH_ENTRY: Final = f"{_COUNTER}{_COLUMNS}{_VALUES} FROM entry {_COUNT}"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that became true, before it is numbered."""

    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]
    stream: str = FACT
    id: str = field(default_factory=new_id)


def announce(db: Session, event: Event) -> None:
    """Write the event into the outbox of this transaction.

    It is numbered in the row lock of its order key (matter, stream, subject), so two
    transactions about one subject are numbered in the order in which they commit.

    Raises:
        ValueError: the type is malformed, the time is naive, or the data is too big for an event.
    """
    run(db, _ANNOUNCE, columns_of(event))


def columns_of(event: Event) -> dict[str, Any]:
    """What the statements above are given.

    Raises:
        ValueError: as for ``announce``.
    """
    check_type(event.type)
    if event.time.tzinfo is None:
        raise ValueError(f"{event.type}: the time of an event is aware")
    data = json.dumps(dict(event.data), ensure_ascii=False)
    if len(data.encode()) > MAX_DATA_BYTES:
        raise ValueError(f"{event.type}: an event is not a document")
    trace = tracing.current()
    return {
        "event_id": event.id,
        "event_stream": event.stream,
        "event_type": event.type,
        "event_matter": matter_of(event.type),
        "event_subject": event.subject,
        "event_time": event.time,
        "event_data": data,
        "event_traceparent": None if trace is None else trace.header,
    }


def check_type(event_type: str) -> str:
    """The type itself, when it is ``<service>.<matter>.<fact>.v<N>`` in kebab-case.

    Raises:
        ValueError: it is not.
    """
    if not _TYPE.fullmatch(event_type):
        raise ValueError(f"{event_type!r} is not <service>.<matter>.<fact>.v<N>")
    return event_type


def matter_of(event_type: str) -> str:
    """``employment-registry.unemployment.approved.v1`` → ``unemployment``."""
    return event_type.split(".")[1]


def routing_key(stream: str, event_type: str) -> str:
    """The word a queue binds: the stream, then the type without the reverse-domain prefix."""
    return f"{stream}.{event_type}"
