"""Secret codes that people copy from an SMS: random, in letters that are not mistaken, checked.

Crockford's alphabet of 32 (no I, L, O, U) with a check character by ISO/IEC 7064's hybrid system
with modulus 33 and 32, which notices every wrong character and almost every exchange of two.
"""

from __future__ import annotations

import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS: Final = 5  # per character
GROUP: Final = 3

_MEANT: Final = str.maketrans("OIL", "011")
_MODULUS: Final = len(ALPHABET)


def new_code(bits: int) -> str:
    """A code of at least so many random bits, as it is stored and compared: without dashes."""
    length = -(-bits // BITS)
    body = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return body + _check_character(body)


def show(code: str) -> str:
    """As it is sent: in groups of three."""
    return "-".join(code[n : n + GROUP] for n in range(0, len(code), GROUP))


def read(text: str) -> str:
    """What a person typed, in the form that is stored: capitals, O for 0, I and L for 1."""
    kept = "".join(c for c in text.upper() if c.isalnum())
    return kept.translate(_MEANT)


def is_plausible(code: str, bits: int) -> bool:
    """Has it our form, with its check character right? A mistyped code mostly has not."""
    if len(code) != -(-bits // BITS) + 1 or not set(code) <= set(ALPHABET):
        return False
    return _check_character(code[:-1]) == code[-1]


def _check_character(body: str) -> str:
    product = _MODULUS
    for character in body:
        total = (product + ALPHABET.index(character)) % _MODULUS or _MODULUS
        product = total * 2 % (_MODULUS + 1)
    return ALPHABET[(_MODULUS + 1 - product) % _MODULUS]
