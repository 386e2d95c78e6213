"""Consuming: deliveries come in the link's thread and are handled in the reader's own."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from servicekit.bus import EXCHANGE, Delivery, Message, Verdict, pause_after
from servicekit.bus.rabbit.link import Link

ROUTING_KEY = "x-routing-key"  # the word it was published under, when it comes another way


@dataclass(frozen=True, slots=True)
class Tagged(Delivery):
    """A delivery, its tag, and the channel that tag belongs to."""

    tag: int = 0
    channel: int = 0


class Reader:
    """A link that reads one queue.

    Args:
        url: ``amqp://…``.
        name: how RabbitMQ's own lists call it.
        prefetch: deliveries in hand at most.
        queue_name: a durable queue; None makes a temporary one of this connection's own.
        binding_keys: what the temporary queue is bound to.
        started: called in the reader's thread each time the queue is being read anew.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        prefetch: int,
        queue_name: str | None = None,
        binding_keys: Sequence[str] = (),
        started: Callable[[], None] | None = None,
    ) -> None:
        self._queue_name = queue_name
        self._binding_keys = binding_keys
        self._prefetch = prefetch
        self._started = started
        self._came: queue.SimpleQueue[Tagged | None] = queue.SimpleQueue()
        self._channel: Any = None
        self._channel_number = 0
        self._held: set[int] = set()  # waiting to be put back; in the link's thread only
        self._link = Link(url, name=name, opened=self._opened, ended=self._ended)
        self._link.start()

    @property
    def up(self) -> bool:
        """Does it read now?"""
        return self._link.up

    def take(self, most: int, seconds: float) -> list[Tagged]:
        """What has come, without waiting for more; waits only for the first."""
        batch: list[Tagged] = []
        try:
            self._add(batch, self._came.get(timeout=seconds))
            while len(batch) < most:
                self._add(batch, self._came.get_nowait())
        except queue.Empty:
            pass
        return batch

    def settle(self, judged: Sequence[tuple[Tagged, Verdict]]) -> None:
        """Acknowledge what is done, put back after a pause what is to be tried again."""
        self._link.call(partial(self._answer, list(judged)))

    def close(self) -> None:
        """Stop reading; what was not settled goes back to the queue."""
        self._link.close()

    def _add(self, batch: list[Tagged], delivery: Tagged | None) -> None:
        if delivery is not None:
            if delivery.channel == self._channel_number:
                batch.append(delivery)
        elif self._started is not None:
            self._started()

    def _opened(self, channel: Any) -> None:
        self._channel = channel
        self._channel_number += 1
        self._held.clear()
        channel.add_on_cancel_callback(lambda _: channel.close())
        if self._queue_name is None:
            # Whoever comes first on a new broker makes the exchange.
            channel.exchange_declare(EXCHANGE, "topic", durable=True)
            channel.queue_declare("", exclusive=True, callback=self._bind)
        else:
            channel.basic_qos(
                prefetch_count=self._prefetch, callback=lambda _: self._read(self._queue_name)
            )

    def _bind(self, declared: Any) -> None:
        name = declared.method.queue
        for key in self._binding_keys[:-1]:
            self._channel.queue_bind(name, EXCHANGE, key)
        self._channel.queue_bind(
            name, EXCHANGE, self._binding_keys[-1], callback=lambda _: self._read(name)
        )

    def _read(self, name: str | None) -> None:
        self._channel.basic_consume(
            name,
            self._delivered,
            auto_ack=self._queue_name is None,
            callback=lambda _: self._reading(),
        )

    def _reading(self) -> None:
        self._link.ready()
        self._came.put(None)

    def _delivered(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        headers = properties.headers or {}
        key = headers.get(ROUTING_KEY, method.routing_key)
        message = Message(properties.message_id or "", key, body)
        attempt = int(headers.get("x-delivery-count", 0)) + 1
        self._came.put(Tagged(message, attempt, method.delivery_tag, self._channel_number))

    def _answer(self, judged: list[tuple[Tagged, Verdict]]) -> None:
        judged = [(d, v) for d, v in judged if d.channel == self._channel_number]
        if not judged or self._channel is None or not self._channel.is_open:
            return  # RabbitMQ hands them out again
        if not self._held and all(v.kind != "retry" for _, v in judged):
            self._channel.basic_ack(judged[-1][0].tag, multiple=True)
            return
        for delivery, verdict in judged:
            if verdict.kind == "retry":
                self._held.add(delivery.tag)
                pause = pause_after(delivery.attempt)
                self._link.later(pause, partial(self._put_back, delivery))
            else:
                self._channel.basic_ack(delivery.tag)

    def _put_back(self, delivery: Tagged) -> None:
        if delivery.channel == self._channel_number and self._channel is not None:
            self._held.discard(delivery.tag)
            self._channel.basic_nack(delivery.tag, requeue=True)

    def _ended(self, _: str, __: bool) -> None:
        self._channel = None
