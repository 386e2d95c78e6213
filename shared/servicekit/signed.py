"""Questions to outside systems, signed by us, answered under their signature, tried again.

Signature of a question: HMAC-SHA256 over all members and ``nonce``, ``timestamp``, sorted by
name, as ``name=value`` joined by ``&``. An answer carries ``nonce`` (ours, so that no old answer
fits) and ``signature``, HMAC-SHA256 over its other members as JSON with sorted names.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from servicekit import logs
from servicekit.client import Answered, Client
from servicekit.clock import Clock
from servicekit.errors import OutsideFailed, Unavailable

log = logs.get_logger()

TRIES: Final = 3
FRESH_SECONDS: Final = 300
LONGEST_REFERENCE: Final = 80


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """An answer whose signature is right, and a hash that proves later what it said."""

    body: Mapping[str, Any]
    answer_hash: bytes

    def text(self, name: str, *, longest: int = 200) -> str:
        """A member that is text.

        Raises:
            OutsideFailed: it is missing, no text, or too long.
        """
        value = self.body.get(name)
        if not isinstance(value, str) or len(value) > longest:
            raise OutsideFailed
        return value

    @property
    def reference(self) -> str:
        """The system's own number of this answer."""
        reference = self.text("reference", longest=LONGEST_REFERENCE)
        if not reference:
            raise OutsideFailed
        return reference


class SignedClient:
    """One outside system behind a shared secret.

    Args:
        client: knows the address and the time limit.
        clock: the wall clock; the other side compares with its own.
        pause: seconds before the second try; doubled before the third.
        tries: how often a question is asked; once where a job asks again later.
    """

    def __init__(
        self,
        client: Client,
        secret: str,
        clock: Clock,
        *,
        pause: float = 0.2,
        tries: int = TRIES,
    ) -> None:
        self._client = client
        self._secret = secret
        self._clock = clock
        self._pause = pause
        self._tries = tries
        self._waiting = threading.Event()  # never set: wait() is a sleep that needs no import

    def ask(self, path: str, question: Mapping[str, str]) -> SignedAnswer:
        """Ask; a question that changes nothing twice is asked again when it failed.

        Raises:
            OutsideFailed: no answer, not theirs, or one that makes no sense.
            Answered: they refuse the question.
        """
        for left in reversed(range(self._tries)):
            try:
                return self._once(path, question)
            except (Unavailable, OutsideFailed) as error:
                if left == 0:
                    raise OutsideFailed from error
                self._waiting.wait(self._pause * 2 ** (self._tries - 1 - left))
        raise OutsideFailed

    def reads(self, body: Mapping[str, Any]) -> SignedAnswer:
        """What the system sent by itself (a callback).

        Raises:
            OutsideFailed: it is not theirs, or older than five minutes.
        """
        stamp = body.get("timestamp")
        now = self._clock.now().timestamp()
        fresh = isinstance(stamp, int) and abs(now - stamp) <= FRESH_SECONDS
        if not fresh or not self._is_signed(body):
            raise OutsideFailed
        return _answer(body)

    def answers(self) -> bool:
        """Does the system answer at all?"""
        try:
            self._client.get("/livez")
        except Answered:
            return True
        except Unavailable:
            return False
        return True

    def _once(self, path: str, question: Mapping[str, str]) -> SignedAnswer:
        nonce = secrets.token_hex(16)
        answer = self._client.post(path, dict(question), headers=self._signature(question, nonce))
        right = isinstance(answer, dict) and answer.get("nonce") == nonce
        if not right or not self._is_signed(answer):
            log.warning("an outside answer is not signed as agreed", path=path)
            raise OutsideFailed
        return _answer(answer)

    def _is_signed(self, body: Mapping[str, Any]) -> bool:
        signature = body.get("signature")
        if not isinstance(signature, str):
            return False
        rest = {name: value for name, value in body.items() if name != "signature"}
        try:
            text = orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            return False  # nested deeper than anybody writes
        expected = hmac.new(self._secret.encode(), text, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.encode())

    def _signature(self, question: Mapping[str, str], nonce: str) -> dict[str, str]:
        timestamp = str(int(self._clock.now().timestamp()))
        members = {**question, "timestamp": timestamp, "nonce": nonce}
        text = "&".join(f"{name}={members[name]}" for name in sorted(members))
        signature = hmac.new(self._secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return {"X-Timestamp": timestamp, "X-Nonce": nonce, "X-Signature": signature}


def _answer(body: Mapping[str, Any]) -> SignedAnswer:
    # Without what differs between two tries: the hash is of what was said.
    said = {n: v for n, v in body.items() if n not in {"nonce", "signature", "timestamp"}}
    raw = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    return SignedAnswer(body, hashlib.sha256(raw).digest())
