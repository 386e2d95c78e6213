"""What the admin page can make a system do: be slow, fail by chance, answer one thing next."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MAX_LATENCY = 30.0  # seconds; a thread waits that long
MAX_SILENCE = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer as a system gives it; `silence` holds it back until the caller gave up."""

    status: int
    body: Mapping[str, object] | str
    retry_after: int | None = None
    silence: bool = False


def trouble(status: int, code: str, message: str, *, retry_after: int | None = None) -> Answer:
    """An answer that refuses, in the one shape all systems share."""
    return Answer(status, {"code": code, "message": message}, retry_after)


BROKEN_BODY = Answer(200, '{"id": "01J')
TEMPORARY = trouble(503, "temporarily-unavailable", "系统繁忙,请稍后重试", retry_after=1)
SILENCE = Answer(504, {"code": "timeout", "message": "处理超时"}, silence=True)

# What the admin page offers as the next answer of any system.
PRESETS: Mapping[str, Answer] = {
    "temporary": TEMPORARY,
    "timeout": SILENCE,
    "malformed": BROKEN_BODY,
    "server-error": trouble(500, "internal", "系统异常"),
}


@dataclass
class Behaviour:
    """How one system misbehaves at the moment; changed by the admin page, read by every request."""

    name: str
    title: str
    latency: float = 0.0
    error_rate: float = 0.0
    next_answer: str = ""
    chance: Callable[[], float] = random.random
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def change(self, *, latency: float, error_rate: float, next_answer: str) -> None:
        """Take new values, all or none.

        Raises: ValueError when one is out of range.
        """
        if not 0 <= latency <= MAX_LATENCY:
            raise ValueError(f"延迟应在 0 到 {MAX_LATENCY:g} 秒之间")
        if not 0 <= error_rate <= 1:
            raise ValueError("错误率应在 0 到 1 之间")
        if next_answer and next_answer not in PRESETS:
            raise ValueError("没有这种应答")
        with self._lock:
            self.latency, self.error_rate, self.next_answer = latency, error_rate, next_answer

    def intercept(self) -> tuple[float, Answer | None]:
        """What to do before the system itself answers.

        Returns: seconds to wait, and the answer to give instead of its own, if any.
        """
        with self._lock:
            preset, self.next_answer = self.next_answer, ""
            latency, error_rate = self.latency, self.error_rate
        if preset:
            return latency, PRESETS[preset]
        if error_rate and self.chance() < error_rate:
            return latency, TEMPORARY
        return latency, None
