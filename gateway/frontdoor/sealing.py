"""Cookies nobody but the gateway can read or make: AES-GCM, bound to their name."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE: Final = 12
LONGEST_PIECE: Final = 3800  # browsers keep 4096 bytes of name, value and attributes
MOST_PIECES: Final = 4


class Sealer:
    """Seals with the first key, opens with any.

    Args:
        keys: newest first, 32 bytes each.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = [AESGCM(key) for key in keys]

    def seal(self, name: str, value: bytes) -> dict[str, str]:
        """Cookies by name: one, or several when the value is long.

        Raises:
            ValueError: it is too long even for several.
        """
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._keys[0].encrypt(nonce, value, name.encode())
        text = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        pieces = [text[i : i + LONGEST_PIECE] for i in range(0, len(text), LONGEST_PIECE)]
        if len(pieces) > MOST_PIECES:
            raise ValueError("too long for cookies")
        return {_piece_name(name, number): piece for number, piece in enumerate(pieces)}

    def open(self, name: str, text: bytes) -> bytes | None:
        """The value, or None when it is foreign or changed.

        Args:
            name: the cookie's.
            text: its pieces as `joined` gives them.
        """
        try:
            sealed = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        except ValueError:
            return None
        for key in self._keys:
            try:
                return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
            except (InvalidTag, ValueError):
                continue
        return None


def joined(name: str, cookies: Mapping[bytes, bytes]) -> bytes:
    """A cookie's pieces in their order, up to the first that is missing."""
    first, second = cookies.get(name.encode(), b""), f"{name}-1".encode()
    if not first or second not in cookies:
        return first
    pieces = [first]
    for piece_name in piece_names(name)[1:]:
        piece = cookies.get(piece_name.encode())
        if piece is None:
            break
        pieces.append(piece)
    return b"".join(pieces)


def piece_names(name: str) -> list[str]:
    """Every name a cookie may be spread over."""
    return [_piece_name(name, number) for number in range(MOST_PIECES)]


def _piece_name(name: str, number: int) -> str:
    return name if number == 0 else f"{name}-{number}"
