"""The gunicorn worker: an event loop at the listening sockets, drained before it ends."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import structlog
import uvloop
from gunicorn.workers.base import Worker

from frontdoor.admin import Admin
from frontdoor.greeting import Listening
from frontdoor.greeting import listen as listen_at
from frontdoor.revocations import listen
from servicekit.bus import connect

if TYPE_CHECKING:
    from frontdoor.app import Gateway
    from frontdoor.door import Door

log = structlog.get_logger(__name__)

GARBAGE: Final = (10_000, 20, 50)
SWEEP: Final = 0.25  # seconds; how exactly deadlines are kept
FIRST_LOOK: Final = 3.0  # seconds a starting worker takes to learn what ended, where names lead
BACKLOG: Final = 2048
UNSENT: Final = 128 << 10  # bytes the kernel holds for a client that does not read
_NOTSENT_LOWAT: Final = 25  # TCP_NOTSENT_LOWAT of linux/tcp.h; Python has no name for it


class FrontdoorWorker(Worker):  # type: ignore[misc]
    """Serves every door of the application's gateway until it is told to stop."""

    gateway: Gateway  # made and given by the master before the fork, with the place
    place: int

    def load_wsgi(self) -> None:
        """There is no WSGI application."""
        self.gateway.work_in(self.place)
        _raise_file_limit()
        gc.freeze()  # what came by the fork stays; requests leave no cycles behind
        gc.set_threshold(*GARBAGE)

    def init_signals(self) -> None:
        """The loop hears the signals; the master's handlers are not inherited."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGABRT, self.handle_abort)

    def run(self) -> None:
        """Serve, then drain."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())
        sys.exit(0)

    async def _serve(self) -> None:
        loop, gateway = asyncio.get_running_loop(), self.gateway
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGUSR1, self._reopen)
        keys = loop.create_task(gateway.keys.keep_fresh())
        tasks = [keys, loop.create_task(gateway.catching_up.run())]
        tasks += [loop.create_task(following.run()) for following in gateway.following]
        await gateway.look_around(FIRST_LOOK)
        stop = threading.Event()
        if gateway.settings.bus_url is not None:
            bus = connect(gateway.settings.bus_url, service="gateway")
            listen(bus, gateway.revocations, stop, started=gateway.catching_up.wake)
        *doors, admin = self.sockets
        servers = [
            await _listen(door, listener.sock)
            for listener, door in zip(doors, gateway.doors.values(), strict=True)
        ]
        at_admin = await asyncio.start_server(Admin(gateway).serve, sock=admin.sock)
        while self.alive and os.getppid() == self.ppid:
            self.notify()
            gateway.sweep()
            await asyncio.sleep(SWEEP)
        for server in servers:
            server.close()
        await self._drain()
        stop.set()
        at_admin.close()
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        gateway.access_log.tick()
        gateway.measures.tick()

    async def _drain(self) -> None:
        """Finish what was begun; clients that stay are told with their next answer."""
        end = time.monotonic() + self.gateway.settings.drain_seconds
        for door in self.gateway.doors.values():
            door.draining = True
        await asyncio.sleep(SWEEP)  # a client just accepted is not among the connections yet
        while self.gateway.connections and time.monotonic() < end:
            self.notify()
            self.gateway.sweep()
            await asyncio.sleep(SWEEP / 5)

    def _stop(self) -> None:
        self.alive = False

    def _reopen(self) -> None:
        for file in self.gateway.access_log.files.values():
            file.reopen()


async def _listen(door: Door, sock: socket.socket) -> Listening:
    sock.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, UNSENT)  # accepted ones inherit it
    return await listen_at(door, sock, BACKLOG)


def _raise_file_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
