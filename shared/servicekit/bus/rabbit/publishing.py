"""Publishing with confirms, many in flight: a batch is done when the broker has every message."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import pika
from pika import spec

from servicekit import metrics
from servicekit.bus import EXCHANGE, BusUnavailable, Message, Refused
from servicekit.bus.envelope import CONTENT_TYPE
from servicekit.bus.rabbit.link import Link

WINDOW = 512  # messages sent and not yet confirmed
CHUNK = 64  # messages written before confirms are looked at again
CONNECT_SECONDS = 2.0
CONFIRM_SECONDS = 15.0
PERSISTENT = 2


Headed = tuple[Message, dict[str, Any] | None]


class _Batch:
    """Messages one caller waits for."""

    def __init__(self, messages: Iterable[Headed], exchange: str) -> None:
        self.waiting = deque(messages)
        self.exchange = exchange
        self.in_flight = 0
        self.window = WINDOW
        self.refused: dict[str, str] = {}
        self.lost: str | None = None
        self.finished = threading.Event()

    def answered(self) -> None:
        """One message less; the caller goes on when it was the last."""
        self.in_flight -= 1
        if not self.waiting and not self.in_flight:
            self.finished.set()


class Publisher:
    """A link that publishes; any thread may use it.

    Args:
        url: ``amqp://…``.
        name: how RabbitMQ's own lists call it.
    """

    def __init__(self, url: str, *, name: str) -> None:
        self._batches: deque[_Batch] = deque()
        self._unconfirmed: dict[int, tuple[_Batch, Headed]] = {}
        self._tag = 0
        self._channel: Any = None
        self._link = Link(url, name=name, opened=self._opened, ended=self._ended)
        self._link.start()

    @property
    def up(self) -> bool:
        """Can it publish now?"""
        return self._link.up

    def publish(self, messages: Sequence[Message]) -> None:
        """Return when all are confirmed; see ``Bus.publish`` for what is raised."""
        self.send([(message, None) for message in messages], EXCHANGE)

    def send(self, messages: Sequence[Headed], exchange: str) -> None:
        """The same to any exchange, with headers."""
        if not messages:
            return
        if not self._link.wait_until_up(CONNECT_SECONDS):
            raise BusUnavailable("no connection to RabbitMQ")
        batch = _Batch(messages, exchange)
        self._batches.append(batch)
        self._link.call(self._pump)
        if not batch.finished.wait(CONFIRM_SECONDS):
            self._forget(batch)
            self._link.reset()
            raise BusUnavailable("RabbitMQ does not confirm")
        if batch.lost is not None:
            raise BusUnavailable(batch.lost)
        if batch.refused:
            raise Refused(batch.refused)

    def close(self) -> None:
        """End the connection; who still waits is told that it is lost."""
        self._link.close()

    def _opened(self, channel: Any) -> None:
        self._channel, self._tag = channel, 0
        channel.confirm_delivery(self._confirmed)
        channel.add_on_return_callback(self._returned)
        channel.exchange_declare(
            EXCHANGE, "topic", durable=True, callback=lambda _: self._ready_again()
        )

    def _ready_again(self) -> None:
        self._link.ready()
        self._pump()

    def _pump(self) -> None:
        """Write what fits into the window, a chunk at a time so that confirms get their turn."""
        if self._channel is None or not self._channel.is_open:
            return
        budget = CHUNK
        with self._link.together():
            for batch in list(self._batches):
                while batch.waiting and budget and len(self._unconfirmed) < batch.window:
                    self._send(batch, batch.waiting.popleft())
                    budget -= 1
        if not budget:
            self._link.call(self._pump)

    def _send(self, batch: _Batch, headed: Headed) -> None:
        self._tag += 1
        batch.in_flight += 1
        self._unconfirmed[self._tag] = (batch, headed)
        message, headers = headed
        self._channel.basic_publish(
            batch.exchange,
            message.routing_key,
            message.body,
            pika.BasicProperties(
                content_type=CONTENT_TYPE,
                delivery_mode=PERSISTENT,
                message_id=message.id,
                headers=headers,
            ),
            mandatory=True,
        )

    def _confirmed(self, frame: Any) -> None:
        answer = frame.method
        if answer.multiple:
            tags = []
            for tag in self._unconfirmed:  # in the order of sending
                if tag > answer.delivery_tag:
                    break
                tags.append(tag)
        else:
            tags = [answer.delivery_tag]
        for tag in tags:
            batch, (message, _) = self._unconfirmed.pop(tag)
            if isinstance(answer, spec.Basic.Nack):
                batch.refused[message.id] = "RabbitMQ did not take it"
            self._answered(batch)
        self._pump()

    def _answered(self, batch: _Batch) -> None:
        batch.answered()
        if batch.finished.is_set():
            self._forget(batch)

    def _forget(self, batch: _Batch) -> None:
        with contextlib.suppress(ValueError):  # its caller may have given it up already
            self._batches.remove(batch)

    def _returned(self, *_: Any) -> None:
        metrics.MESSAGES_UNHEARD.inc()  # nobody is bound to it; its confirm follows

    def _ended(self, reason: str, connection_too: bool) -> None:
        """Nothing is known of what was in flight."""
        self._channel = None
        in_flight, self._unconfirmed = self._unconfirmed, {}
        if connection_too:
            while self._batches:
                batch = self._batches.popleft()
                batch.lost = reason
                batch.finished.set()
            return
        # The broker closed the channel over one message. Send one by one until it is found.
        for batch, headed in reversed(in_flight.values()):
            if batch.window == 1:
                batch.refused[headed[0].id] = reason
                self._answered(batch)
            else:
                batch.in_flight -= 1
                batch.waiting.appendleft(headed)
        for batch in self._batches:
            batch.window = 1
