"""Seals personal values at rest and finds them again by a keyed index (AL-04).

A sealed value names its suite and its key, and is bound to its column: a value copied into
another column, or under another key's name, does not open. Equality is found by a blind index,
an HMAC whose key is derived per column; the keys never enter the database's machine.

Layout: suite (1 byte) · length of key id (1) · key id · nonce (12) · ciphertext and tag.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from servicekit.personal import Personal

Suite = Literal["aes-256-gcm", "sm4-gcm"]

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
INDEX_BYTES = 16

_SUITES: Mapping[str, int] = {"aes-256-gcm": 1, "sm4-gcm": 2}
_SM4_KEY_BYTES = 16


class BadKeys(ValueError):
    """The keys in the settings are not keys."""


class CannotOpen(Exception):
    """Not sealed by us for this column, or changed since, or its key is gone."""


class Vault:
    """Seals with the newest key, opens with any.

    Args:
        field_keys: ``k2:<base64 of 32 bytes>,k1:<base64 …>``, newest first.
        index_key: base64 of 32 bytes; changing it or the suite means building the indexes anew.
        suite: what to seal with; values of the other suite open all the same.
    """

    def __init__(self, field_keys: str, index_key: str, suite: Suite = "aes-256-gcm") -> None:
        if suite not in _SUITES:
            raise BadKeys(f"no such cipher suite: {suite}")
        self._keys = _parse_keys(field_keys)
        self._newest = next(iter(self._keys))
        self._suite = _SUITES[suite]
        self._ciphers: dict[tuple[int, str], AESGCM | _Sm4Gcm] = {}
        self._openers: dict[bytes, AESGCM | _Sm4Gcm] = {}  # by the head of what they open
        self._index_root = decode_key(index_key)
        self._index_keys: dict[str, bytes] = {}

    def seal(self, text: str, column: str) -> bytes:
        """Encrypt for one column, named ``table.column``."""
        return self.seal_bytes(text.encode(), column)

    def seal_bytes(self, clear: bytes, place: str) -> bytes:
        """Encrypt for one place: a column, or an object outside the database with its id."""
        key_id = self._newest.encode()
        head = bytes((self._suite, len(key_id))) + key_id
        nonce = secrets.token_bytes(NONCE_BYTES)
        cipher = self._cipher(self._suite, self._newest)
        return head + nonce + cipher.encrypt(nonce, clear, head + place.encode())

    def open(self, sealed: bytes, column: str) -> str:
        """Decrypt what was sealed for this column.

        Raises:
            CannotOpen: wrong column, unknown key, unknown suite, or a changed byte.
        """
        return self.open_bytes(sealed, column).decode()

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what was sealed for this place.

        Raises:
            CannotOpen: as for :meth:`open`.
        """
        sealed = bytes(sealed)
        size = 2 + (sealed[1] if len(sealed) > 1 else 0)
        if len(sealed) < size + NONCE_BYTES + TAG_BYTES:
            raise CannotOpen(f"{place}: not a sealed value")
        head, nonce = sealed[:size], sealed[size : size + NONCE_BYTES]
        cipher = self._openers.get(head)
        if cipher is None:
            key_id = head[2:].decode("ascii", "replace")
            if key_id not in self._keys or head[0] not in _SUITES.values():
                raise CannotOpen(f"{place}: sealed with a key or suite we do not have")
            cipher = self._openers[head] = self._cipher(head[0], key_id)
        try:
            return cipher.decrypt(nonce, sealed[size + NONCE_BYTES :], head + place.encode())
        except InvalidTag:
            raise CannotOpen(f"{place}: changed, or sealed for another column") from None

    def is_current(self, sealed: bytes) -> bool:
        """Was this sealed with the newest key and suite? Rotation seals the others anew."""
        size = 2 + sealed[1]
        return sealed[0] == self._suite and sealed[2:size] == self._newest.encode()

    def index(self, text: str, column: str) -> bytes:
        """The blind index of a value in a column: equal values there, equal 16 bytes."""
        key = self._index_keys.get(column)
        if key is None:
            key = _derive(self._index_root, f"blind-index:{column}", KEY_BYTES, self._hash())
            self._index_keys[column] = key
        mac = hmac.HMAC(key, self._hash())
        mac.update(text.encode())
        return mac.finalize()[:INDEX_BYTES]

    def _cipher(self, suite: int, key_id: str) -> AESGCM | _Sm4Gcm:
        found = self._ciphers.get((suite, key_id))
        if found is None:
            found = self._ciphers[suite, key_id] = _cipher(suite, self._keys[key_id])
        return found

    def _hash(self) -> hashes.HashAlgorithm:
        return hashes.SM3() if self._suite == _SUITES["sm4-gcm"] else hashes.SHA256()


class Sealed(TypeDecorator[Personal]):
    """A column that holds a personal value sealed: ``Sealed(ResidentNumber, "account.number")``."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, kind: type[Personal], column: str) -> None:
        super().__init__()
        self.kind = kind
        self.column = column

    def process_bind_param(self, value: Personal | None, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.column} takes a {self.kind.__name__}")
        return vault_of(dialect).seal(value.expose(), self.column)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Personal | None:
        return None if value is None else self.kind(vault_of(dialect).open(value, self.column))


class BlindIndex(TypeDecorator[Personal]):
    """A column to look a sealed value up by; assign and compare it with the value itself.

    Reading it gives the bytes, which say nothing.
    """

    impl = LargeBinary(INDEX_BYTES)
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        if value is None or isinstance(value, bytes):
            return value
        if not isinstance(value, Personal):
            raise TypeError(f"the index of {self.column} takes a personal value")
        return vault_of(dialect).index(value.expose(), self.column)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return value


def vault_of(dialect: Dialect) -> Vault:
    """The vault of the database this statement runs on."""
    vault: Vault | None = getattr(dialect, "vault", None)
    if vault is None:
        raise CannotOpen("this database was opened without a vault")
    return vault


def decode_key(text: str) -> bytes:
    """32 bytes from base64.

    Raises:
        BadKeys: something else.
    """
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadKeys("a key is the base64 of 32 bytes") from None
    if len(key) != KEY_BYTES:
        raise BadKeys(f"a key has {KEY_BYTES} bytes, not {len(key)}")
    return key


def new_key() -> str:
    """A fresh random key in the form the settings take."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


class _Sm4Gcm:
    """SM4-GCM with the face of ``AESGCM``, which the library has in one piece for AES alone."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, nonce: bytes, clear: bytes, beside: bytes) -> bytes:
        encryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(beside)
        return encryptor.update(clear) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, sealed: bytes, beside: bytes) -> bytes:
        mode = modes.GCM(nonce, sealed[-TAG_BYTES:])
        decryptor = Cipher(algorithms.SM4(self._key), mode).decryptor()
        decryptor.authenticate_additional_data(beside)
        return decryptor.update(sealed[:-TAG_BYTES]) + decryptor.finalize()


def _cipher(suite: int, key: bytes) -> AESGCM | _Sm4Gcm:
    if suite == _SUITES["sm4-gcm"]:
        return _Sm4Gcm(_derive(key, "sm4-gcm", _SM4_KEY_BYTES, hashes.SM3()))
    return AESGCM(key)


def _parse_keys(text: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        key_id, colon, key = part.strip().partition(":")
        if not (colon and key_id.isascii() and key_id.isalnum()) or key_id in keys:
            raise BadKeys("field keys read k2:<base64>,k1:<base64>, newest first, each id once")
        keys[key_id] = decode_key(key)
    return keys


def _derive(root: bytes, purpose: str, size: int, algorithm: hashes.HashAlgorithm) -> bytes:
    return HKDF(algorithm=algorithm, length=size, salt=None, info=purpose.encode()).derive(root)
