"""Which thread looks for the next request: the one that has just answered (leader and followers).

gunicorn's main thread waits for all connections and wakes a thread for each request; the threads
then take Python's lock from one another whenever one of them waits for PostgreSQL, which costs a
sixth of a short request. Here a thread that has answered looks for the next request and answers
it too, as long as there are any, so that nobody is woken and nobody waits for the lock. The main
thread looks on: when a request takes longer than a moment, what has come meanwhile is another
thread's. So short requests are answered one after another and long ones beside them.
"""

from __future__ import annotations

import selectors
import time
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from servicekit import turns

LINGER: Final = 0.02  # seconds a thread looks for more before the main thread does
LONGEST_TURN: Final = 1.0  # seconds until the main thread looks after the connections (time limits)


class LeadingWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads, where the thread that answers looks for the next request.

    Only one thread looks at a time: the one whose turn it is, or the main thread, which does all
    that is not the next request of a kept connection.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._asking: deque[TConn] = deque()  # kept connections whose next request has come

    def enqueue_req(self, conn: TConn) -> None:
        """Hand a connection with a request to a thread."""
        self.tpool.submit(self._serve, conn)

    def on_client_socket_readable(self, conn: TConn, client: Any) -> None:
        """A kept connection's next request has come."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._asking.append(conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events; from the first request on it is a thread's turn."""
        super().wait_for_and_dispatch_events(0 if self._asking else timeout)
        if self._asking:
            turn = turns.Turn()
            self.tpool.submit(self._lead, turn)
            turn.watch()

    def _lead(self, turn: turns.Turn) -> None:
        turns.take(turn)
        until = time.monotonic() + LONGEST_TURN
        is_mine = turn.free()
        try:
            while is_mine and (conn := self._next(until)) is not None:
                turn.busy()
                self._serve(conn)
                is_mine = turn.free()
        finally:
            turn.end()

    def _next(self, until: float) -> TConn | None:
        if not self._asking and self.alive and time.monotonic() < until:
            self._look()
        return self._asking.popleft() if self._asking else None

    def _look(self) -> None:
        # Of the partials that ``_keep`` and gunicorn's own ``finish_request`` register.
        asking = self.on_client_socket_readable
        events = self.poller.select(LINGER)
        if all(getattr(key.data, "func", None) == asking for key, _ in events):
            for key, _ in events:
                key.data(key.fileobj)
        # What else has come is the main thread's: it finds it all where it was.

    def _serve(self, conn: TConn) -> None:
        outcome: Future[Any] = Future()
        try:
            outcome.set_result(self.handle(conn))
        except BaseException as error:
            outcome.set_exception(error)
        is_kept = self.alive and outcome.exception() is None and outcome.result() is True
        if is_kept and not conn.parser.unreader.buf.getvalue():
            self._keep(conn)
        else:
            self.method_queue.defer(self.finish_request, conn, outcome)

    def _keep(self, conn: TConn) -> None:
        # As gunicorn's ``finish_request`` does, without waking the main thread for it.
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        if not self.alive:  # since it was asked: the others have been cut short already
            self._cap_keepalive(time.monotonic() + STOP_KEEPALIVE_LINGER)
        readable = partial(self.on_client_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def _cap_keepalive(self, deadline: float) -> None:
        # In place of gunicorn's, which goes through them while a thread may be adding one.
        for conn in list(self.keepalived_conns):
            conn.timeout = min(conn.timeout, deadline)
