"""Times, sizes and rates as nginx writes them."""

from __future__ import annotations

import re
from typing import Final

_TIME: Final = re.compile(
    r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?"
)
_SIZE: Final = re.compile(r"(\d+)([kKmMgG]?)")
_RATE: Final = re.compile(r"(\d+)r/([sm])")
_FACTORS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def seconds(text: str) -> float:
    """``30s``, ``1m30s``, ``7d``, ``500ms``, or a plain number of seconds; ValueError otherwise."""
    if text.isdecimal():
        return float(text)
    found = _TIME.fullmatch(text)
    if not text or found is None:
        raise ValueError(f'invalid time "{text}"')
    weeks, days, hours, minutes, whole, milli = (int(part or 0) for part in found.groups())
    hours += (7 * weeks + days) * 24
    return hours * 3600 + minutes * 60 + whole + milli / 1000


def size(text: str) -> int:
    """``8k``, ``1m``, or bytes; ValueError otherwise."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f'invalid size "{text}"')
    return int(found[1]) * _FACTORS[found[2].lower()]


def rate(text: str) -> float:
    """Requests a second of ``10r/s`` or ``30r/m``; ValueError otherwise."""
    found = _RATE.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise ValueError(f'invalid rate "{text}"')
    return int(found[1]) / (1 if found[2] == "s" else 60)


def flag(text: str) -> bool:
    """``on`` or ``off``; ValueError otherwise."""
    if text not in ("on", "off"):
        raise ValueError(f'invalid value "{text}", it must be "on" or "off"')
    return text == "on"


def number(text: str) -> int:
    """A whole number; ValueError otherwise."""
    if not text.isdecimal():
        raise ValueError(f'invalid number "{text}"')
    return int(text)
