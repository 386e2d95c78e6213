"""DNS on the wire (RFC 1035): a question for a name's addresses, and what the answer says."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

A, AAAA, CNAME, OPT = 1, 28, 5, 41
_IN: Final = 1
_LONGEST_NAME: Final = 253
_EDNS_SIZE: Final = 1232  # what passes everywhere unfragmented
_POINTER: Final = 0xC0  # the rest of the name stands elsewhere
_LENGTHS: Final = {A: 4, AAAA: 16}
NO_ERROR, NO_SUCH_NAME = 0, 3


class BadMessage(Exception):
    """The answer cannot be read, or is another question's."""


class Truncated(Exception):
    """The answer is too long for UDP."""


def question(number: int, name: str, kind: int) -> bytes:
    """A query for one kind of record.

    Args:
        number: the message's id.
        name: a host name.
        kind: ``A`` or ``AAAA``.

    Raises:
        ValueError: it is no host name.
    """
    head = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 1)
    edns = b"\0" + struct.pack(">HHIH", OPT, _EDNS_SIZE, 0, 0)
    return head + _written(name) + struct.pack(">HH", kind, _IN) + edns


def _written(name: str) -> bytes:
    text = name.rstrip(".").encode("idna" if not name.isascii() else "ascii")
    parts = text.split(b".")
    if len(text) > _LONGEST_NAME or not all(0 < len(part) < 64 for part in parts):  # noqa: PLR2004
        raise ValueError(f"no host name: {name}")
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


def addresses(data: bytes, number: int, name: str, kind: int) -> tuple[Sequence[str], float]:
    """The addresses an answer holds, and the seconds they hold.

    Raises:
        Truncated: ask again by TCP.
        BadMessage: no answer to this question, or a refusal.
    """
    try:
        return _read(data, number, name, kind)
    except (struct.error, IndexError, ValueError) as error:
        raise BadMessage("malformed") from error


def _read(data: bytes, number: int, name: str, kind: int) -> tuple[Sequence[str], float]:
    found, flags, questions, answers, _, _ = struct.unpack_from(">HHHHHH", data)
    asked = _written(name) + struct.pack(">HH", kind, _IN)
    if found != number or not flags & 0x8000 or questions != 1:
        raise BadMessage("of another question")
    if data[12 : 12 + len(asked)].lower() != asked.lower():
        raise BadMessage("of another question")
    if flags & 0x0200:
        raise Truncated
    if flags & 0xF == NO_SUCH_NAME:
        return (), 0.0
    if flags & 0xF != NO_ERROR:
        raise BadMessage(f"code {flags & 0xF}")
    return _read_records(data, 12 + len(asked), answers, kind)


def _read_records(data: bytes, at: int, count: int, kind: int) -> tuple[Sequence[str], float]:
    found_addresses, lives = [], []
    for _ in range(count):
        at = _skip_name(data, at)
        record, kind_of, life, length = struct.unpack_from(">HHIH", data, at)
        at += 10
        content = data[at : at + length]
        if len(content) != length:
            raise BadMessage("malformed")
        at += length
        if kind_of != _IN or record not in (kind, CNAME):
            continue
        lives.append(life)
        if record == kind:
            if length != _LENGTHS[kind]:
                raise BadMessage("malformed")
            found_addresses.append(str(ip_address(content)))
    return found_addresses, float(min(lives, default=0))


def _skip_name(data: bytes, at: int) -> int:
    for _ in range(_LONGEST_NAME):
        length = data[at]
        if length & _POINTER == _POINTER:
            return at + 2
        at += 1 + length
        if length == 0:
            return at
    raise BadMessage("malformed")
