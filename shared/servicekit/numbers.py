"""The number of an application (受理编号): region, business, date, serial, check digit (ER-08).

``440106-01-20261121-000123-7`` is read over the telephone group by group; one wrong digit or two
neighbours exchanged are noticed.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_PARTS = re.compile(r"[0-9]{6}-[0-9]{2}-[0-9]{8}-[0-9]{6}-[0-9]")
_DIGITS = re.compile(r"[0-9]+")
_BUSINESS = re.compile(r"[0-9]{2}")
_BARE = re.compile(r"[0-9]{23}")
LARGEST_SERIAL = 999_999

# Damm's quasigroup of order 10: finds every single wrong digit and every adjacent exchange.
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def application_number(region: str, business: str, day: date, serial: int) -> str:
    """Write the number.

    Args:
        region: the region's code; its first six digits count, shorter ones are filled with zeros.
        business: the two digits of the matter.
        day: the day it was submitted, in China.
        serial: counted per region, business and day, from 1 to 999,999.

    Raises:
        ValueError: something does not fit its place.
    """
    if not (_DIGITS.fullmatch(region) and _BUSINESS.fullmatch(business)):
        raise ValueError("a number has a region of digits and a business of two digits")
    if not 1 <= serial <= LARGEST_SERIAL:
        raise ValueError(f"the serial is from 1 to {LARGEST_SERIAL}")
    groups = (region[:6].ljust(6, "0"), business, day.isoformat().replace("-", ""), f"{serial:06d}")
    return "-".join((*groups, str(_damm("".join(groups)))))


def check(number: str) -> bool:
    """Is this a number as we write them, with its check digit right?"""
    return _PARTS.fullmatch(number) is not None and _damm(number.replace("-", "")) == 0


def normalise(text: str) -> str:
    """What a person typed, with or without dashes and spaces, in the form that is stored.

    Chinese keyboards write digits and dashes in full width too.
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    bare = re.sub(r"[\s\-‐‑–—]", "", typed)
    if not _BARE.fullmatch(bare):
        return typed
    return "-".join((bare[:6], bare[6:8], bare[8:16], bare[16:22], bare[22:]))


def with_check_digit(digits: str) -> str:
    """Digits and the one that makes a mistyped number be noticed."""
    return f"{digits}{_damm(digits)}"


def has_check_digit(digits: str) -> bool:
    """Is the last digit the check digit of those before it?"""
    return _DIGITS.fullmatch(digits) is not None and _damm(digits) == 0


def _damm(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return interim
