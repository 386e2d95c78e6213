"""Short requests are answered one after another by one thread, long ones beside them."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from servicekit import turns
from servicekit.testing.racing import answers_at_once
from servicekit.testing.waiting import until
from servicekit.web import leading
from servicekit.web.quick_worker import QuickWorker
from servicekit.web.server import Listening, _configuration

THREADS = 3
SECONDS = 30


class Worker(QuickWorker):
    """gunicorn's, in a thread of the test and not in a process."""

    def init_signals(self) -> None:
        """A thread has none."""


class App:
    """Says which thread answers; ``/long`` and ``/aside`` are answered once they may."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.waiting = 0

    def wsgi(self) -> Any:
        return self

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/aside":
            turns.step_aside()
        if environ["PATH_INFO"] in ("/long", "/aside"):
            self.waiting += 1
            assert self.may_end.wait(SECONDS)
        body = f"{threading.get_ident()} {environ['QUERY_STRING']}".encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]


class Caller:
    """A kept connection."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self.ask()  # the first request of a connection is the main thread's to hand out

    def ask(self, path: str = "/") -> list[str]:
        self._connection.request("GET", path)
        return self._connection.getresponse().read().decode().split(" ")

    def close(self) -> None:
        self._connection.close()


@contextmanager
def working() -> Iterator[SimpleNamespace]:
    config = Config()
    for name, value in _configuration(Listening("127.0.0.1", 0, threads=THREADS)).items():
        config.set(name, value)
    app = App()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        log = config.logger_class(config)
        worker = Worker(1, os.getppid(), [listening], app, 30, config, log)
        running = threading.Thread(target=worker.init_process)
        running.start()
        port = listening.getsockname()[1]
        callers: list[Caller] = []

        def caller() -> Caller:
            callers.append(Caller(port))
            return callers[-1]

        yield SimpleNamespace(app=app, worker=worker, caller=caller, running=running)
        app.may_end.set()
        for each in callers:
            each.close()
        stop(worker)
        running.join(SECONDS)
        assert not running.is_alive()
        worker.tmp.close()
        for end in worker.PIPE:
            os.close(end)


def stop(worker: Worker) -> None:
    """As SIGTERM does."""
    worker.handle_exit(None, None)


@pytest.fixture
def here() -> Iterator[SimpleNamespace]:
    with working() as made:
        yield made


def test_the_thread_that_answers_answers_the_next_too(here, monkeypatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", float(SECONDS))  # however slow the machine is
    monkeypatch.setattr(leading, "LINGER", float(SECONDS))
    monkeypatch.setattr(leading, "LONGEST_TURN", float(SECONDS))
    callers = [here.caller() for _ in range(6)]
    threads = {each.ask()[0] for _ in range(20) for each in callers}
    assert len(threads) == 1


def test_who_comes_behind_a_long_request_is_answered_beside_it(here) -> None:
    first, second, short = here.caller(), here.caller(), here.caller()
    with ThreadPoolExecutor(2) as pool:
        long = []
        for number, each in enumerate((first, second), 1):
            long.append(pool.submit(each.ask, "/long"))
            until(lambda number=number: here.app.waiting == number)
            assert short.ask()[0]
            assert here.caller().ask()[0]  # a new connection as well
        assert not any(each.done() for each in long)
        here.app.may_end.set()
        assert len({each.result(SECONDS)[0] for each in long}) == len(long)


def test_who_steps_aside_keeps_nobody_waiting(here, monkeypatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", float(SECONDS))
    long, short = here.caller(), here.caller()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(long.ask, "/aside")
        until(lambda: here.app.waiting == 1)
        assert short.ask()
        assert not answer.done()
        here.app.may_end.set()
        assert answer.result(SECONDS)


def test_with_every_thread_busy_the_worker_says_that_it_lives(here) -> None:
    callers = [here.caller() for _ in range(THREADS)]
    late = here.caller()
    with ThreadPoolExecutor(THREADS + 1) as pool:
        for each in callers:
            pool.submit(each.ask, "/long")
        until(lambda: here.app.waiting == THREADS)
        answer = pool.submit(late.ask)
        before = here.worker.tmp.last_update()
        until(lambda: here.worker.tmp.last_update() > before)
        before = here.worker.tmp.last_update()
        until(lambda: here.worker.tmp.last_update() > before)
        assert not answer.done()
        here.app.may_end.set()
        assert answer.result(SECONDS)


def test_every_request_is_answered_once(here) -> None:
    """Many callers, some of whose requests are long enough to be overtaken."""

    def ask(name: int) -> list[str]:
        mine = here.caller()
        return [mine.ask(f"/?{name}-{number}")[1] for number in range(100)]

    def hold() -> list[str]:
        """A long request now and then, so that turns are taken away in the middle."""
        mine = here.caller()
        for _ in range(20):
            before = here.app.waiting
            letting = threading.Timer(2 * turns.PATIENCE, here.app.may_end.set)
            here.app.may_end.clear()
            letting.start()
            mine.ask("/long")
            letting.join()
            assert here.app.waiting == before + 1
        return []

    names = range(8)
    said = answers_at_once(*(lambda name=name: ask(name) for name in names), hold)
    assert said == [[f"{name}-{number}" for number in range(100)] for name in names] + [[]]


def test_what_is_being_answered_is_answered_when_it_ends(here) -> None:
    long, short = here.caller(), here.caller()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(long.ask, "/long")
        until(lambda: here.app.waiting == 1)
        assert short.ask()
        stop(here.worker)
        assert short.ask()  # sent on a kept connection before its end was heard of
        here.app.may_end.set()
        assert answer.result(SECONDS)
    here.running.join(SECONDS)
    assert not here.running.is_alive()
