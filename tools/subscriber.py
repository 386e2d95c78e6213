"""Another government system: it subscribes to decided applications and prints what it hears."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from servicekit.bus import Message, connect
from servicekit.bus.envelope import decode
from servicekit.inbox import Envelope

KEYS = ("application.employment-registry.flexible-employment.#",)
PREFIX = "cn.gov.gdhrss"
PATIENCE = 15.0


@dataclass
class OtherSystem:
    """Listens in a thread of its own while the block runs."""

    bus_url: str
    say: Callable[[str], None] = print
    heard: list[Envelope] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Subscribe; returns when the queue stands."""
        standing = threading.Event()
        self._bus = connect(self.bus_url, service="other-system")
        self._thread = threading.Thread(
            target=self._bus.listen,
            args=(KEYS, self._hear, self._stop),
            kwargs={"started": standing.set},
        )
        self._thread.start()
        if not standing.wait(PATIENCE):
            self.__exit__(None, None, None)
            raise TimeoutError("the bus did not let the other system subscribe")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unsubscribe."""
        self._stop.set()
        self._thread.join(PATIENCE)
        self._bus.close()

    def wait_for(self, type_ending: str, subject: str, patience: float = PATIENCE) -> Envelope:
        """The first event heard of that type about that application.

        Raises: TimeoutError when it does not come.
        """

        def found() -> Envelope | None:
            wanted = (e for e in self.heard if e.subject == subject and type_ending in e.type)
            return next(wanted, None)

        with self._news:
            if not self._news.wait_for(lambda: found() is not None, patience):
                raise TimeoutError(f"no {type_ending} about the application in {patience:.0f} s")
            event = found()
        assert event is not None
        return event

    def _hear(self, message: Message) -> None:
        event = decode(message.body, PREFIX)
        after = event.data.get("after", "")
        self.say(
            f"another system hears: application {after} ({event.type}, sequence {event.sequence})"
        )
        with self._news:
            self.heard.append(event)
            self._news.notify_all()
