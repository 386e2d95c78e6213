"""Runs a service's jobs: by the clock and by notification, each on one worker at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from zlib import crc32

import psycopg
import structlog

from servicekit import logs, metrics, tracing
from servicekit.bus import pause_after
from servicekit.jobs import Job, JobContext
from servicekit.listening import JOB_LOCK, Listener

LONGEST_WAIT = 0.5  # seconds; how soon a stop is noticed
ELECTION_SECONDS = 2.0  # how often a worker asks whether another's job is free

log = logs.get_logger()


class Scheduler:
    """The jobs of one service in this worker.

    Args:
        jobs: what is to be run.
        context: what the jobs are given.
    """

    def __init__(self, jobs: Iterable[Job], context: JobContext) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._context = context
        self._running: dict[str, Future[None]] = {}
        self._due: dict[str, float] = {}
        self._elected: set[str] = set()

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``; waits for the jobs that are running."""
        if not self._jobs:
            return
        failures = 0
        name = f"{self._context.service} jobs"
        with ThreadPoolExecutor(len(self._jobs), thread_name_prefix=name) as pool:
            while not stop.is_set():
                try:
                    self._serve(pool, stop)
                except psycopg.Error as error:
                    failures += 1
                    log.warning("jobs lost their database", error=type(error).__name__)
                    stop.wait(pause_after(failures))

    def _serve(self, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        channels = frozenset().union(*(job.channels for job in self._jobs.values()))
        name = f"{self._context.service} jobs"
        self._elected.clear()
        with Listener(self._context.database.url, name=name, channels=channels) as listener:
            ask_again = 0.0
            while not stop.is_set():
                if time.monotonic() >= ask_again:
                    self._stand_for_election(listener)
                    ask_again = time.monotonic() + ELECTION_SECONDS
                self._start_due(pool)
                for channel in listener.wait(self._pause()):
                    self._wake(channel)

    def _stand_for_election(self, listener: Listener) -> None:
        for name in self._jobs.keys() - self._elected:
            if listener.elected(JOB_LOCK, lock_number(name)):
                self._elected.add(name)
                self._due[name] = 0.0

    def _start_due(self, pool: ThreadPoolExecutor) -> None:
        now = time.monotonic()
        for name in self._elected:
            running = self._running.get(name)
            if self._due[name] <= now and (running is None or running.done()):
                self._due[name] = now + self._jobs[name].period.total_seconds()
                self._running[name] = pool.submit(self._work, self._jobs[name])

    def _wake(self, channel: str) -> None:
        """A job that is running runs once more afterwards: it may have looked too early."""
        for name in self._elected:
            if channel in self._jobs[name].channels:
                self._due[name] = 0.0

    def _pause(self) -> float:
        now = time.monotonic()
        waiting = [
            self._due[name] - now
            for name in self._elected
            if name not in self._running or self._running[name].done()
        ]
        busy = len(waiting) < len(self._elected)
        longest = 0.01 if busy and min(self._due.values()) <= now else LONGEST_WAIT
        return max(0.0, min([longest, *waiting]))

    def _work(self, job: Job) -> None:
        structlog.contextvars.bind_contextvars(service=self._context.service, job=job.name)
        outcome = "done"
        with tracing.continued(None):
            try:
                job.work(self._context)
            except Exception:
                outcome = "failed"
                log.exception("job failed; it runs again when it is due")
        metrics.JOBS_RUN.labels(self._context.service, job.name, outcome).inc()


def lock_number(name: str) -> int:
    """A job's half of the advisory lock key: a signed 32-bit number."""
    return crc32(name.encode()) - 2**31
