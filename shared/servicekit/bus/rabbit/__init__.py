"""The bus on RabbitMQ: a topic exchange, quorum queues, confirms, dead letters with a reason."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pika
from pika.exceptions import AMQPError

from servicekit import logs
from servicekit.bus import (
    DEAD_EXCHANGE,
    DELIVERY_LIMIT,
    DONE,
    EXCHANGE,
    BusUnavailable,
    DeadLetter,
    Delivery,
    Handle,
    Hear,
    Message,
    Refused,
    Verdict,
    retry,
)
from servicekit.bus.rabbit.consuming import ROUTING_KEY, Reader, Tagged
from servicekit.bus.rabbit.link import parameters
from servicekit.bus.rabbit.publishing import Headed, Publisher

POLL_SECONDS = 0.1  # how soon a stop is noticed
REASON, ATTEMPTS = "x-reason", "x-attempts"

Judged = tuple[Tagged, Verdict]

log = logs.get_logger()


class RabbitBus:
    """See ``servicekit.bus.Bus``.

    Args:
        url: ``amqp://user:password@host:port/vhost``.
        service: who is asking.
    """

    def __init__(self, url: str, *, service: str) -> None:
        self._url = url
        self._service = service
        self._lock = threading.Lock()
        self._shared_publisher: Publisher | None = None
        self._readers: list[Reader] = []

    def declare(
        self, queue: str, binding_keys: Sequence[str], *, former: Sequence[str] = ()
    ) -> None:
        with self._asking() as channel:
            channel.exchange_declare(EXCHANGE, "topic", durable=True)
            channel.exchange_declare(DEAD_EXCHANGE, "direct", durable=True)
            # Quorum queues lose nothing while a majority of their nodes lives. The limit of the
            # dead is only there because some versions have a default that would empty the queue.
            quorum = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
            channel.queue_declare(f"{queue}.dead", durable=True, arguments=quorum)
            channel.queue_bind(f"{queue}.dead", DEAD_EXCHANGE, queue)
            channel.queue_declare(queue, durable=True, arguments=_queue_arguments(queue))
            for key in binding_keys:
                channel.queue_bind(queue, EXCHANGE, key)
            for key in former:
                channel.queue_unbind(queue, EXCHANGE, key)

    def publish(self, messages: Sequence[Message]) -> None:
        self._publisher().publish(messages)

    def consume(
        self, queue: str, handle: Handle, stop: threading.Event, *, prefetch: int = 400
    ) -> None:
        reader = Reader(
            self._url, name=f"{self._service} consumes", prefetch=prefetch, queue_name=queue
        )
        self._serve(reader, queue, handle, stop, prefetch // 2)

    def listen(
        self,
        binding_keys: Sequence[str],
        hear: Hear,
        stop: threading.Event,
        *,
        queue: str | None = None,
        started: Callable[[], None] | None = None,
    ) -> None:
        def hear_each(batch: Sequence[Delivery]) -> list[Verdict]:
            return [_tell(hear, delivery) for delivery in batch]

        if queue is not None:
            self._declare_patiently(queue, binding_keys, stop)
        reader = Reader(
            self._url,
            name=f"{self._service} listens",
            prefetch=1,
            queue_name=queue,
            binding_keys=list(binding_keys),
            started=started,
        )
        self._serve(reader, queue, hear_each, stop, 1 if queue else 100)

    def list_dead(self, queue: str, limit: int = 100) -> list[DeadLetter]:
        with self._asking() as channel:
            # Not acknowledged: they go back when the connection closes.
            return [_dead_letter(*each[1:]) for each in _dead(channel, queue, limit)]

    def redrive(self, queue: str, limit: int = 1000) -> int:
        moved = 0
        with self._asking() as channel:
            channel.confirm_delivery()
            for method, properties, body in _dead(channel, queue, limit):
                letter = _dead_letter(properties, body)
                properties.headers = {ROUTING_KEY: letter.message.routing_key}
                channel.basic_publish("", queue, body, properties, mandatory=True)
                channel.basic_ack(method.delivery_tag)
                moved += 1
        return moved

    def is_up(self) -> bool:
        readers = list(self._readers)
        publisher = self._shared_publisher
        links = [r.up for r in readers] + ([] if publisher is None else [publisher.up])
        return bool(links) and all(links)

    def close(self) -> None:
        with self._lock:
            if self._shared_publisher is not None:
                self._shared_publisher.close()
                self._shared_publisher = None

    def _publisher(self) -> Publisher:
        with self._lock:
            if self._shared_publisher is None:
                self._shared_publisher = Publisher(self._url, name=f"{self._service} publishes")
            return self._shared_publisher

    def _serve(
        self,
        reader: Reader,
        queue: str | None,
        handle: Handle,
        stop: threading.Event,
        most: int,
    ) -> None:
        self._readers.append(reader)
        try:
            while not stop.is_set():
                batch = reader.take(most, POLL_SECONDS)
                if not batch:
                    continue
                verdicts = handle(batch)
                if queue is not None:
                    judged = [(d, v.at(d.attempt)) for d, v in zip(batch, verdicts, strict=True)]
                    reader.settle(self._bury(queue, judged))
        finally:
            self._readers.remove(reader)
            reader.close()

    def _bury(self, queue: str, judged: list[Judged]) -> list[Judged]:
        """A dead delivery is acknowledged only after its dead letter is confirmed."""
        letters: list[Headed] = [
            (
                Message(delivery.message.id, queue, delivery.message.body),
                {
                    REASON: verdict.reason[:500],
                    ATTEMPTS: delivery.attempt,
                    ROUTING_KEY: delivery.message.routing_key,
                },
            )
            for delivery, verdict in judged
            if verdict.kind == "dead"
        ]
        try:
            if letters:
                self._publisher().send(letters, DEAD_EXCHANGE)
        except (BusUnavailable, Refused) as error:
            return [(d, retry(str(error)) if v.kind == "dead" else v) for d, v in judged]
        return judged

    def _declare_patiently(
        self, queue: str, binding_keys: Sequence[str], stop: threading.Event
    ) -> None:
        while not stop.is_set():
            try:
                self.declare(queue, binding_keys)
                return
            except BusUnavailable:
                stop.wait(POLL_SECONDS)

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        """A short connection for a few questions; pika's errors become the bus's."""
        try:
            connection = pika.BlockingConnection(parameters(self._url, f"{self._service} asks"))
            with connection:
                yield connection.channel()
        except (AMQPError, OSError) as error:
            raise BusUnavailable(f"RabbitMQ: {type(error).__name__}") from error


def _queue_arguments(queue: str) -> dict[str, Any]:
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _dead(channel: Any, queue: str, limit: int) -> Iterator[tuple[Any, Any, bytes]]:
    for _ in range(limit):
        method, properties, body = channel.basic_get(f"{queue}.dead")
        if method is None:
            return
        yield method, properties, body


def _dead_letter(properties: Any, body: bytes) -> DeadLetter:
    headers = properties.headers or {}
    death = (headers.get("x-death") or [{}])[0]
    key = headers.get(ROUTING_KEY) or (death.get("routing-keys") or [""])[0]
    reason = headers.get(REASON) or death.get("reason", "unknown")
    attempts = headers.get(ATTEMPTS) or headers.get("x-delivery-count") or DELIVERY_LIMIT
    return DeadLetter(Message(properties.message_id or "", key, body), str(reason), int(attempts))


def _tell(hear: Hear, delivery: Delivery) -> Verdict:
    try:
        hear(delivery.message)
    except Exception as error:
        log.exception("a listener failed", event_id=delivery.message.id)
        return retry(type(error).__name__)
    return DONE
