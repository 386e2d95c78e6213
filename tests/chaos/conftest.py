"""Two databases, a bus that can be killed, and processes that are."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psutil
import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, text

from servicekit.db import Database, sqlalchemy_url
from servicekit.migrations import create_standard_tables
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture

PROCESSES = Path(__file__).with_name("processes.py")
HEARD = (
    "CREATE TABLE heard (place bigint GENERATED ALWAYS AS IDENTITY, subject text, sequence bigint)"
)


@dataclass(frozen=True)
class Findings:
    """What became of the events that were announced."""

    announced: int
    lost: int
    doubled: int
    disordered: int
    left_parked: int


class Forked:
    """Processes forked from one that has imported everything."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, str(PROCESSES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, *arguments: str) -> psutil.Process:
        """One more; it is not a child of ours."""
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.write(json.dumps(arguments) + "\n")
        self._parent.stdin.flush()
        return psutil.Process(int(self._parent.stdout.readline()))

    def close(self) -> None:
        """End them all."""
        self._parent.communicate(timeout=20)


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """One for all kill tests of this worker."""
    forked = Forked()
    yield forked
    forked.close()


@dataclass
class Stage:
    """Where the chaos plays."""

    telling: Database
    hearing: Database
    bus_url: str
    kill_bus: Callable[[], None]
    chance: random.Random
    queue: str  # the hearing service's; others use the same broker
    forked: Forked
    processes: dict[str, psutil.Process] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """``relay-1`` plays ``relay``."""
        role = name.rpartition("-")[0]
        url = self.telling.url if role == "relay" else self.hearing.url
        self.processes[name] = self.forked.start(role, url, self.bus_url, self.queue)

    def kill(self, name: str) -> None:
        """``kill -9``, a short pause, and up again."""
        if name == "bus":
            self.kill_bus()
            return
        with suppress(psutil.NoSuchProcess):
            self.processes[name].kill()
        self.processes[name].wait(20)
        time.sleep(self.chance.uniform(0, 0.3))
        self.start(name)

    def count(self) -> int:
        with self.hearing.reading() as db:
            return int(db.execute(text("SELECT count(*) FROM heard")).scalar_one())

    def findings(self) -> Findings:
        """Compare what was announced with what took effect, and in which order."""
        with self.telling.reading() as db:
            announced = {tuple(r) for r in db.execute(text("SELECT subject, sequence FROM outbox"))}
        heard: dict[str, list[int]] = defaultdict(list)
        with self.hearing.reading() as db:
            for subject, sequence in db.execute(
                text("SELECT subject, sequence FROM heard ORDER BY place")
            ):
                heard[subject].append(sequence)
            parked = int(db.execute(text("SELECT count(*) FROM event_parked")).scalar_one())
        told = [(subject, n) for subject, numbers in heard.items() for n in numbers]
        return Findings(
            announced=len(announced),
            lost=len(announced - set(told)),
            doubled=len(told) - len(set(told)),
            disordered=sum(
                after < before for numbers in heard.values() for before, after in pairwise(numbers)
            ),
            left_parked=parked,
        )

    def close(self) -> None:
        for process in self.processes.values():
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in self.processes.values():
            process.wait(20)
        self.telling.close()
        self.hearing.close()


@pytest.fixture(scope="session")
def chaos_template(postgres: TestPostgres) -> None:  # noqa: F811
    def migrate(url: str) -> None:
        engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
        with engine.begin() as connection:
            create_standard_tables(SimpleNamespace(get_bind=lambda: connection))
            connection.execute(text(HEARD))

    postgres.template_for("chaos", migrate)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Another one each time; ``CHAOS_SEED=…`` repeats the choice of victims."""
    seed = int(os.getenv("CHAOS_SEED") or random.SystemRandom().randrange(2**32))
    print(f"CHAOS_SEED={seed}")  # noqa: T201 - shown when the test fails
    return seed


@pytest.fixture(params=["local", pytest.param("amqp", marks=pytest.mark.rabbitmq)])
def stage(
    request: pytest.FixtureRequest,
    postgres: TestPostgres,  # noqa: F811
    chaos_template: None,
    forked: Forked,
    seed: int,
) -> Iterator[Stage]:
    with ExitStack() as stack:
        telling = stack.enter_context(postgres.fresh_database("chaos"))
        hearing = stack.enter_context(postgres.fresh_database("chaos"))
        if request.param == "amqp":
            node: Any = request.getfixturevalue("rabbit_node")
            bus_url, kill_bus = node.url, lambda: (node.kill(), node.restart())
        else:
            url = stack.enter_context(postgres.fresh_database())
            bus_url, kill_bus = f"local://{url}", lambda: end_connections(postgres.url(), url)
        one = Stage(
            Database(telling, vault=None, application_name="telling"),
            Database(hearing, vault=None, application_name="checker"),
            bus_url,
            kill_bus,
            random.Random(seed),
            f"hearing-{uuid4().hex}",
            forked,
        )
        stack.callback(one.close)
        yield one


def end_connections(admin_url: str, url: str) -> None:
    """Every connection of the local bus breaks at once."""
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
