"""The events worker: relay, consumer and jobs of one service or of many, in threads.

``run_worker`` is what ``python -m servicekit.launch events …`` runs. A thread whose work breaks in
a way nobody foresaw is logged and started again; the process ends when it is told to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from servicekit import logs
from servicekit.bus import Bus, BusUnavailable, connect, pause_after
from servicekit.clock import Clock
from servicekit.consumer import Consumer
from servicekit.db import Database
from servicekit.health import HealthServer
from servicekit.housekeeping import housekeeping
from servicekit.inbox import Subscriptions
from servicekit.jobs import JobContext, Jobs
from servicekit.relay import Relay
from servicekit.scheduler import Scheduler

LAST_WORDS_SECONDS = 25  # to finish what is under way; Kubernetes waits 30 before it kills

log = logs.get_logger()


class EventSettings(Protocol):
    """The settings the worker needs; ``ServiceSettings`` has them."""

    @property
    def bus_url(self) -> str: ...
    @property
    def event_prefix(self) -> str: ...


class EventService(Protocol):
    """The part of a service's declaration the worker needs."""

    @property
    def name(self) -> str: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def jobs(self) -> Jobs: ...


class EventApp(Protocol):
    """A ``ServiceApp``, as far as the worker looks at it."""

    @property
    def service(self) -> EventService: ...
    @property
    def settings(self) -> Any: ...
    @property
    def database(self) -> Database: ...
    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True)
class _Hosted:
    """One service in this process: its app and its connection to the bus."""

    app: EventApp
    bus: Bus


def run_worker(
    apps: Sequence[EventApp],
    stop: threading.Event,
    *,
    health: tuple[str, int] | None = None,
) -> None:
    """Relay, consume and do jobs for every app until ``stop``.

    Args:
        apps: one, or all of them in one process to be small.
        stop: set by the signal handler; what is under way is finished first.
        health: address and port of ``/livez``, ``/readyz`` and ``/metrics``.
    """
    hosted = [_Hosted(app, connect(app.settings.bus_url, service=app.service.name)) for app in apps]
    _bind_first(hosted)
    threads = [
        threading.Thread(target=_keep_up, args=(name, one.app.service.name, work, stop), name=name)
        for one in hosted
        for name, work in _works(one, stop).items()
    ]
    with ExitStack() as cleaning:
        for one in hosted:
            cleaning.callback(one.bus.close)
        if health is not None:
            server = HealthServer(health, lambda: _is_ready(hosted), threads)
            cleaning.enter_context(server)
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join(LAST_WORDS_SECONDS)
        log.info("events worker stopped", unfinished=[t.name for t in threads if t.is_alive()])


def _bind_first(hosted: Sequence[_Hosted]) -> None:
    """Make the queues before anybody here speaks: the bus keeps nothing for who comes later.

    When it cannot be done now, each consumer goes on trying while the others already work.
    """
    try:
        for one in hosted:
            if len(one.app.service.subscriptions):
                _consumer(one).bind()
    except (BusUnavailable, SQLAlchemyError) as error:
        log.warning("queues cannot be bound yet", error=type(error).__name__)


def _consumer(one: _Hosted) -> Consumer:
    app = one.app
    prefix = app.settings.event_prefix
    return Consumer(
        app.database, one.bus, app.service.subscriptions, prefix=prefix, clock=app.clock
    )


def _works(one: _Hosted, stop: threading.Event) -> dict[str, Callable[[threading.Event], None]]:
    app, service = one.app, one.app.service
    prefix = app.settings.event_prefix
    relay = Relay(app.database, one.bus, source=service.name, prefix=prefix, clock=app.clock)
    context = JobContext(service.name, app.database, app.clock, app.settings, stop)
    jobs = [*service.jobs, *housekeeping(service.subscriptions)]
    works: dict[str, Callable[[threading.Event], None]] = {
        f"{service.name} relay": relay.run,
        f"{service.name} jobs": Scheduler(jobs, context).run,
    }
    if len(service.subscriptions):
        works[f"{service.name} consumer"] = _consumer(one).run
    return works


def _keep_up(
    name: str, service: str, work: Callable[[threading.Event], None], stop: threading.Event
) -> None:
    structlog.contextvars.bind_contextvars(service=service, thread=name)
    failures = 0
    while not stop.is_set():
        try:
            work(stop)
        except Exception:
            failures += 1
            log.exception("a part of the worker broke; it starts again")
            stop.wait(pause_after(failures))


def _reaches(bus: Bus) -> bool:
    """A worker that had nothing to say or hear yet has not connected; then this does."""
    if not bus.is_up():
        try:
            bus.publish(())
        except BusUnavailable:
            return False
    return bus.is_up()


def _is_ready(hosted: Sequence[_Hosted]) -> Mapping[str, bool]:
    """Database and bus of each service."""
    answers = {}
    for one in hosted:
        name = one.app.service.name
        try:
            with one.app.database.reading() as db:
                db.execute(text("SELECT 1"))
            answers[f"{name} database"] = True
        except SQLAlchemyError:
            answers[f"{name} database"] = False
        answers[f"{name} bus"] = _reaches(one.bus)
    return answers
