"""CloudEvents 1.0 in JSON: how an event reads on the wire, for us and for every other system."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from servicekit.bus import Message
from servicekit.inbox import Envelope
from servicekit.outbox import check_type, routing_key

LONGEST_TEXT = 200  # of an attribute; the types, ids and times of ours are shorter

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


class NotAnEvent(ValueError):
    """The bytes are not an event of this suite; says which part is wrong, never its value."""


def encode(envelope: Envelope, prefix: str) -> Message:
    """An event as a message, structured mode.

    Args:
        envelope: the numbered event.
        prefix: reverse domain name that opens the type for outsiders.
    """
    document: dict[str, Any] = {
        "specversion": "1.0",
        "id": envelope.id,
        "source": envelope.source,
        "type": f"{prefix}.{envelope.type}",
        "subject": envelope.subject,
        "time": envelope.time,
        "datacontenttype": "application/json",
        "dataschema": f"urn:jiuye:event:{envelope.type}",
        "sequence": str(envelope.sequence),
        "stream": envelope.stream,
    }
    if envelope.preceded_at is not None:
        document["precededat"] = envelope.preceded_at
    if envelope.traceparent is not None:
        document["traceparent"] = envelope.traceparent
    document["data"] = envelope.data
    body = orjson.dumps(document, option=orjson.OPT_UTC_Z)
    return Message(envelope.id, routing_key(envelope.stream, envelope.type), body)


def decode(body: bytes, prefix: str) -> Envelope:
    """Read a message back.

    Raises:
        NotAnEvent: it is not JSON, not CloudEvents 1.0, or not of our kind.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotAnEvent("not JSON") from error
    if not isinstance(document, dict) or document.get("specversion") != "1.0":
        raise NotAnEvent("not CloudEvents 1.0")
    data = document.get("data")
    if not isinstance(data, dict):
        raise NotAnEvent("data is not an object")
    return Envelope(
        id=_text(document, "id"),
        type=_type(_text(document, "type"), prefix),
        source=_text(document, "source"),
        stream=_text(document, "stream"),
        subject=_text(document, "subject"),
        time=_time(document, "time"),
        sequence=_sequence(_text(document, "sequence")),
        data=data,
        preceded_at=_time(document, "precededat") if "precededat" in document else None,
        traceparent=_text(document, "traceparent") if "traceparent" in document else None,
    )


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        raise NotAnEvent(f"{name} is missing or no text")
    return value


def _type(full: str, prefix: str) -> str:
    if not full.startswith(f"{prefix}."):
        raise NotAnEvent("type has another prefix")
    try:
        return check_type(full[len(prefix) + 1 :])
    except ValueError as error:
        raise NotAnEvent("type is not <prefix>.<service>.<matter>.<fact>.v<N>") from error


def _time(document: Mapping[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(document, name))
    except ValueError as error:
        raise NotAnEvent(f"{name} is not a time") from error
    if moment.tzinfo is None:
        raise NotAnEvent(f"{name} has no zone")
    return moment.astimezone(UTC)


def _sequence(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits) < 2**63):
        raise NotAnEvent("sequence is not a number from 1")
    return int(digits)
