"""Both buses, and a reader that collects what it is handed."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

import pytest

from servicekit.bus import DONE, Bus, Delivery, Message, Verdict, connect
from servicekit.testing import waiting
from servicekit.testing.postgres import TestPostgres

PATIENCE = 20.0
until = partial(waiting.until, seconds=PATIENCE)

Judge = Callable[[Delivery], Verdict]


class Reading:
    """A consumer in a thread: what it was handed, in which batches."""

    def __init__(self, bus: Bus, queue: str, judge: Judge) -> None:
        self.batches: list[list[Delivery]] = []
        self._judge = judge
        self.stop = threading.Event()
        self.thread = threading.Thread(
            target=bus.consume, args=(queue, self._handle, self.stop), daemon=True
        )
        self.thread.start()

    def _handle(self, batch: Sequence[Delivery]) -> list[Verdict]:
        verdicts = [self._judge(delivery) for delivery in batch]
        self.batches.append(list(batch))
        return verdicts

    @property
    def deliveries(self) -> list[Delivery]:
        return [delivery for batch in list(self.batches) for delivery in batch]

    @property
    def ids(self) -> list[str]:
        return [delivery.message.id for delivery in self.deliveries]


class BusUnderTest:
    """One bus, fresh words to publish under, and readers that are stopped in the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.word = f"w{uuid4().hex[:12]}"  # tests share a node; they do not share words
        self.queue = f"q-{self.word}"
        self.bus = connect(url, service="test")
        self._opened = [self.bus]

    def another(self) -> Bus:
        """A second process's view of the same bus."""
        self._opened.append(connect(self.url, service="test"))
        return self._opened[-1]

    def message(self, rest: str = "a", message_id: str | None = None) -> Message:
        return Message(message_id or str(uuid4()), f"{self.word}.{rest}", rest.encode())

    @contextmanager
    def reading(
        self, judge: Judge = lambda _: DONE, *, queue: str | None = None, bus: Bus | None = None
    ) -> Iterator[Reading]:
        reading = Reading(bus or self.bus, queue or self.queue, judge)
        try:
            yield reading
        finally:
            reading.stop.set()
            reading.thread.join(PATIENCE)
            assert not reading.thread.is_alive(), "the consumer did not stop"

    def close(self) -> None:
        for bus in self._opened:
            bus.close()


@pytest.fixture(
    params=["local", pytest.param("amqp", marks=pytest.mark.rabbitmq)],
)
def under_test(request: pytest.FixtureRequest) -> Iterator[BusUnderTest]:
    """The bus of one kind, then of the other."""
    if request.param == "amqp":
        one = BusUnderTest(request.getfixturevalue("rabbit_node").url)
        yield one
        one.close()
        return
    server: TestPostgres = request.getfixturevalue("postgres")
    with server.fresh_database() as url:
        one = BusUnderTest(f"local://{url}")
        yield one
        one.close()
