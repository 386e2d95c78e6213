"""The bus between services: publish with confirms, consume at least once, dead letters.

Two implementations of one behaviour, chosen by URL: RabbitMQ (``amqp://``) and, for one machine,
queues in a PostgreSQL database of their own (``local://<PostgreSQL address>``). Both pass the tests
in ``shared/tests/bus``. Messages are opaque bytes here; ``bus.envelope`` knows what is inside.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

EXCHANGE = "jiuye.events"
DEAD_EXCHANGE = "jiuye.dead"

FAILURE_LIMIT = 5  # a message whose handling failed this often is a dead letter
DELIVERY_LIMIT = 20  # so is one that was handed out this often without any answer: it kills readers
LONGEST_PAUSE = 2.0  # seconds between attempts at most, so that a bus that is back is noticed soon


class BusUnavailable(Exception):
    """The bus does not answer or does not confirm; nothing is known about unconfirmed messages."""


class Refused(Exception):
    """The bus answered and will not take some messages; all the others are confirmed.

    Args:
        reasons: why, by message id.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        super().__init__(f"{len(self.reasons)} messages refused")


@dataclass(frozen=True, slots=True)
class Message:
    """What travels: an id, the word it is routed by, and bytes."""

    id: str
    routing_key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message handed to a reader, and how often it was handed out, this time included."""

    message: Message
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a delivery: done, try again later, or dead with its reason."""

    kind: Literal["done", "retry", "dead"]
    reason: str = ""

    def at(self, attempt: int) -> Verdict:
        """The same, or dead when the last attempt failed."""
        if self.kind == "retry" and attempt >= FAILURE_LIMIT:
            return dead(self.reason)
        return self


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message nobody could handle, why, and how often it was tried."""

    message: Message
    reason: str
    attempts: int


DONE = Verdict("done")


def retry(reason: str) -> Verdict:
    """Hand it out again after a growing pause; after ``FAILURE_LIMIT`` times it is dead."""
    return Verdict("retry", reason)


def dead(reason: str) -> Verdict:
    """Never hand it out again; it waits among the dead letters for a person."""
    return Verdict("dead", reason)


def pause_after(attempt: int) -> float:
    """Seconds until the next attempt: 0.1, 0.2, 0.4 … never more than ``LONGEST_PAUSE``."""
    return min(0.1 * 2.0 ** min(attempt - 1, 10), LONGEST_PAUSE)


Handle = Callable[[Sequence[Delivery]], Sequence[Verdict]]
Hear = Callable[[Message], None]


class Bus(Protocol):
    """What both buses promise."""

    def declare(
        self, queue: str, binding_keys: Sequence[str], *, former: Sequence[str] = ()
    ) -> None:
        """Make a durable queue with its dead letters, bound to the keys.

        Args:
            queue: the service's folder name.
            binding_keys: topic patterns; ``*`` is one word, ``#`` any number of words.
            former: keys that were bound once and are no longer.

        Raises:
            BusUnavailable: try again.
        """

    def publish(self, messages: Sequence[Message]) -> None:
        """Return when every message is confirmed; a message nobody is bound to is confirmed too.

        Raises:
            BusUnavailable: some are not confirmed; publish them all again.
            Refused: the bus does not want some of them; the others are confirmed.
        """

    def consume(
        self, queue: str, handle: Handle, stop: threading.Event, *, prefetch: int = 400
    ) -> None:
        """Hand out batches until ``stop``; reconnects by itself, for as long as it takes.

        A batch is what has come, up to half of ``prefetch``: one message when it is quiet. A
        delivery without verdict, because the reader died, is handed out again.
        """

    def listen(
        self,
        binding_keys: Sequence[str],
        hear: Hear,
        stop: threading.Event,
        *,
        queue: str | None = None,
        started: Callable[[], None] | None = None,
    ) -> None:
        """Hear messages until ``stop``, outside any database transaction.

        Args:
            binding_keys: topic patterns.
            hear: called for each message, one after another.
            queue: a name makes it a durable queue that is acknowledged after ``hear`` returned,
                retried when it raises; without one it is this process's own, temporary and
                not acknowledged: what is said while nobody listens is not heard.
            started: called each time the queue stands anew; a temporary listener may have missed
                something before.
        """

    def list_dead(self, queue: str, limit: int = 100) -> list[DeadLetter]:
        """The oldest dead letters of a queue; they stay where they are."""

    def redrive(self, queue: str, limit: int = 1000) -> int:
        """Put dead letters back into their queue, oldest first; how many."""

    def is_up(self) -> bool:
        """Did the bus answer lately?"""

    def close(self) -> None:
        """Let go of connections; publishing or consuming is over."""


def connect(url: str, *, service: str) -> Bus:
    """The bus at a URL; connects when it is first used.

    Args:
        url: ``amqp://user:password@host:port/`` or ``local://postgresql://…``.
        service: who is asking, for the bus's own lists of connections.

    Raises:
        ValueError: the URL is of another kind.
    """
    scheme, _, rest = url.partition("://")
    if scheme in ("amqp", "amqps"):
        from servicekit.bus.rabbit import RabbitBus

        return RabbitBus(url, service=service)
    if scheme == "local":
        from servicekit.bus.local import LocalBus

        return LocalBus(rest, service=service)
    raise ValueError("a bus is amqp://…, amqps://… or local://<PostgreSQL address>")
