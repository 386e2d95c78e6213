"""One connection to RabbitMQ, kept up in a thread of its own.

pika is not thread-safe: everything that touches the connection runs in its thread, so heartbeats
are answered however long a handler takes.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pika
from pika.adapters.select_connection import SelectConnection

from servicekit import logs
from servicekit.bus import pause_after

HEARTBEAT_SECONDS = 20  # RabbitMQ gives a silent peer up after two of them
ANSWER_SECONDS = 10  # connecting, or a broker that asks us to stop publishing

log = logs.get_logger()


def parameters(url: str, name: str) -> pika.URLParameters:
    """What we ask of every connection, the name shown in RabbitMQ's list included."""
    wanted = pika.URLParameters(url)
    wanted.heartbeat = HEARTBEAT_SECONDS
    wanted.socket_timeout = ANSWER_SECONDS / 2
    wanted.stack_timeout = ANSWER_SECONDS
    wanted.blocked_connection_timeout = ANSWER_SECONDS
    wanted.connection_attempts = 1
    wanted.client_properties = {"connection_name": name}
    return wanted


class _Connection(SelectConnection):  # type: ignore[misc]
    """Writes many frames with one system call while :meth:`together` is open.

    pika makes three for each message, which is most of what publishing costs. What an adapter does
    with its frames is the one thing it decides (``_adapter_emit_data``), so that is changed here.
    """

    _held: list[bytes] | None = None

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        self._held = []
        try:
            yield
        finally:
            frames, self._held = self._held, None
            if frames:
                self._adapter_emit_data(b"".join(frames))

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._held is None:
            super()._adapter_emit_data(data)
        else:
            self._held.append(data)


class Link:
    """A connection with one channel; both are made again whenever they end.

    Args:
        url: ``amqp://…``.
        name: how RabbitMQ's own lists call it.
        opened: called with each new channel.
        ended: called when the channel or the whole connection ended, with the reason and whether
            the connection went too.

    All callbacks run in the link's thread.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        opened: Callable[[Any], None],
        ended: Callable[[str, bool], None],
    ) -> None:
        logging.getLogger("pika").setLevel(logging.CRITICAL)  # we tell what matters, once
        self._parameters = parameters(url, name)
        self._name = name
        self._opened = opened
        self._ended = ended
        self._connection: Any = None
        self._closing = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to connect; the callbacks may come at any moment from now on."""
        self._thread.start()

    @property
    def up(self) -> bool:
        """Is there a channel to work with?"""
        return self._ready.is_set()

    def wait_until_up(self, seconds: float) -> bool:
        """Give a link that is just being made a moment."""
        return self._ready.wait(seconds)

    def ready(self) -> None:
        """Said by the user of the link once the new channel is set up."""
        self._ready.set()

    def call(self, what: Callable[[], None]) -> None:
        """Do something in the link's thread soon; nothing when there is no connection."""
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(Exception):  # the loop may end this very moment
                connection.ioloop.add_callback_threadsafe(what)

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """The same after a pause; only from the link's thread."""
        self._connection.ioloop.call_later(seconds, what)

    def together(self) -> contextlib.AbstractContextManager[None]:
        """Write what is said meanwhile with one system call; only in the link's thread."""
        together: contextlib.AbstractContextManager[None] = self._connection.together()
        return together

    def reset(self) -> None:
        """Give this connection up and make a new one."""
        self.call(self._close_connection)

    def close(self) -> None:
        """End the connection after what was asked of it so far."""
        self._closing.set()
        self.call(self._close_connection)
        self._thread.join(ANSWER_SECONDS)

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            reason = self._connect_and_serve()
            failures = 1 if self._ready.is_set() else failures + 1
            self._ready.clear()
            self._ended(reason, True)
            if not self._closing.is_set():
                log.warning("bus connection lost", bus="rabbitmq", link=self._name, reason=reason)
                self._closing.wait(pause_after(failures))

    def _connect_and_serve(self) -> str:
        """Until the connection ends; why it did."""
        why = ["closed"]

        def end(_: Any, reason: Any) -> None:
            why[0] = f"{type(reason).__name__}"
            self._connection.ioloop.stop()

        try:
            self._connection = _Connection(
                self._parameters,
                on_open_callback=lambda _: self._open_channel(),
                on_open_error_callback=end,
                on_close_callback=end,
            )
            self._connection.ioloop.start()
        except Exception as error:
            log.exception("bus connection broke", bus="rabbitmq", link=self._name)
            why[0] = type(error).__name__
            with contextlib.suppress(Exception):
                self._connection.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.ioloop.close()
        return why[0]

    def _open_channel(self) -> None:
        if self._closing.is_set():
            self._close_connection()
        elif self._connection.is_open:
            self._connection.channel(on_open_callback=self._channel_is_open)

    def _channel_is_open(self, channel: Any) -> None:
        channel.add_on_close_callback(self._channel_closed)
        self._opened(channel)

    def _channel_closed(self, _: Any, reason: Any) -> None:
        if self._connection is None or not self._connection.is_open:
            return  # the whole connection ends; that is told once
        self._ready.clear()
        log.warning("bus channel closed", link=self._name, reason=str(reason)[:200])
        self._ended(str(reason)[:200], False)
        self.later(pause_after(1), self._open_channel)

    def _close_connection(self) -> None:
        if self._connection is not None and not (
            self._connection.is_closing or self._connection.is_closed
        ):
            self._connection.close()
