"""A short-message gateway: takes messages, keeps the last ones for everybody to read."""

import re
import threading
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from outside.behaviour import BROKEN_BODY, SILENCE, TEMPORARY, Answer, trouble

KEPT = 1_000
PAGE = 100
MAX_TEXT = 500
MAX_REFERENCE = 100
TEMPORARY_FAILURES = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One message that was taken."""

    id: str
    to: str
    text: str
    reference: str
    state: str
    at: datetime


class SmsGateway:
    """The messages of this process; thread-safe, bounded."""

    def __init__(self) -> None:
        """Start empty."""
        self._messages: deque[Message] = deque(maxlen=KEPT)
        self._failures: Counter[str] = Counter()
        self._lock = threading.Lock()

    def send(self, *, to: str, text: str, reference: str) -> Answer:
        """Take a message; the same reference is the same message.

        Args: to: 11 digits; its last four choose a failure.
            text: what the phone would show.
            reference: the sender's own id of the message.
        """
        if wrong := _wrong(to, text, reference):
            return wrong
        with self._lock:
            known = next((m for m in self._messages if m.reference == reference), None)
            if known is not None:
                return _repeated(known, to, text)
            if failure := self._failure(to):
                return failure
            message = Message(uuid4().hex, to, text, reference, "delivered", datetime.now(UTC))
            self._messages.append(message)
        return Answer(202, {"id": message.id, "state": message.state})

    def messages(self, to: str = "") -> list[Message]:
        """The newest messages first, of one number or of all."""
        with self._lock:
            found = [m for m in reversed(self._messages) if not to or m.to == to]
        return found[:PAGE]

    def _failure(self, to: str) -> Answer | None:
        match to[-4:]:
            case "0001":
                self._failures[to] += 1
                if self._failures[to] <= TEMPORARY_FAILURES:
                    return TEMPORARY
                del self._failures[to]
                return None
            case "0002":
                return trouble(422, "number-refused", "号码为空号或已停机")
            case "0003":
                return SILENCE
            case "0004":
                return BROKEN_BODY
            case _:
                return None


def _wrong(to: object, text: object, reference: object) -> Answer | None:
    if not (isinstance(to, str) and re.fullmatch(r"[0-9]{11}", to)):
        return trouble(400, "bad-number", "号码应为 11 位数字")
    if not (isinstance(text, str) and 0 < len(text) <= MAX_TEXT):
        return trouble(400, "bad-text", f"内容应为 1 到 {MAX_TEXT} 字")
    if not (isinstance(reference, str) and 0 < len(reference) <= MAX_REFERENCE):
        return trouble(400, "bad-reference", f"reference 应为 1 到 {MAX_REFERENCE} 字符")
    return None


def _repeated(known: Message, to: str, text: str) -> Answer:
    if (known.to, known.text) != (to, text):
        return trouble(409, "reference-reused", "同一 reference 已用于另一条短信")
    return Answer(202, {"id": known.id, "state": known.state})
