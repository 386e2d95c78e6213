"""Counters and histograms of one process, in Prometheus' text form.

Every process answers for itself; where gunicorn runs several workers behind one port, the
launcher names a directory and the answer is the sum over the living ones.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

REQUEST_SECONDS: Final = Histogram(
    "jiuye_request_seconds",
    "Time to answer a request, by the route's pattern.",
    ("service", "method", "route", "status"),
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
REFUSALS: Final = Counter(
    "jiuye_refusals_total", "Requests that were refused, by code.", ("service", "code")
)
MOVES: Final = Counter(
    "jiuye_application_moves_total", "Moves of applications.", ("workflow", "move", "after")
)
REVEALS: Final = Counter(
    "jiuye_personal_reveals_total", "Looks at a clear personal value.", ("column", "role")
)

EVENTS_PUBLISHED: Final = Counter(
    "jiuye_events_published_total", "Events the bus has confirmed.", ("service",)
)
EVENTS_HANDLED: Final = Counter(
    "jiuye_events_handled_total",
    "Deliveries, by outcome: applied, duplicate, parked, ignored, retry, dead.",
    ("service", "outcome"),
)
MESSAGES_UNHEARD: Final = Counter(
    "jiuye_messages_unheard_total", "Messages RabbitMQ took though no queue is bound to them."
)
OUTBOX_WAITING: Final = Gauge(
    "jiuye_outbox_waiting", "Events not yet confirmed by the bus.", ("service",)
)
OUTBOX_PARKED: Final = Gauge("jiuye_outbox_parked", "Events the bus will not take.", ("service",))
OUTBOX_LAG_SECONDS: Final = Gauge(
    "jiuye_outbox_lag_seconds", "Age of the oldest event the bus has not confirmed.", ("service",)
)
EVENTS_PARKED: Final = Gauge(
    "jiuye_events_parked", "Events that wait for their predecessor.", ("service",)
)
EVENTS_PARKED_SECONDS: Final = Gauge(
    "jiuye_events_parked_seconds", "How long the oldest of them has waited.", ("service",)
)
JOBS_RUN: Final = Counter(
    "jiuye_jobs_run_total", "Jobs by outcome: done, failed.", ("service", "job", "outcome")
)


@lru_cache(maxsize=5000)
def request_seconds(service: str, method: str, route: str, status: str) -> Histogram:
    """The histogram of these labels, found once."""
    return REQUEST_SECONDS.labels(service, method, route, status)


def render() -> tuple[bytes, str]:
    """The process's metrics and their content type, for ``/metrics``."""
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:  # no directory named: this process is all there is
        registry = REGISTRY
    return generate_latest(registry), CONTENT_TYPE_LATEST


def forget_process(pid: int) -> None:
    """A worker has died: its gauges no longer count (gunicorn's ``child_exit``)."""
    with suppress(TypeError):  # no directory named: nothing is left of it
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
