"""A rollout goes over a running suite: old pods live on a database that is ahead of them."""

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from recruitment.app import create_app
from recruitment.settings import Settings
from servicekit.db import sqlalchemy_url
from servicekit.migrations import pending, upgrade
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture
from servicekit.vault import new_key
from servicekit.worker import run_worker


@pytest.fixture
def database_url(postgres: TestPostgres) -> Iterator[str]:  # noqa: F811
    with postgres.fresh_database() as url:
        upgrade(url, "recruitment")
        yield url


@pytest.mark.req("OP-01")
def test_old_code_is_ready_and_migrates_nothing_on_a_newer_database(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    upgrade(database_url, "recruitment")
    with engine.connect() as db:
        assert pending(db, "recruitment") == []
        assert db.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


@pytest.mark.req("OP-01")
def test_new_code_waits_for_its_migrations(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as db:
        db.execute(text("DELETE FROM alembic_version"))
        assert pending(db, "recruitment") == ["0001", "0002"]
    engine.dispose()


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


@pytest.mark.req("OP-01")
def test_two_workers_are_ready_though_one_is_elected_and_none_has_anything_to_say(
    database_url: str,
) -> None:
    """Else the rollout of a service that hears nobody would wait for ever."""
    settings = Settings(
        database_url=database_url,
        bus_url=f"local://{database_url}",
        field_keys=f"k1:{new_key()}",
        index_key=new_key(),
        history_key=new_key(),
    )
    stop, ports, threads = threading.Event(), [], []
    apps = [create_app(settings) for _ in range(2)]
    for app in apps:
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports.append(free.getsockname()[1])
        where = {"health": ("127.0.0.1", ports[-1])}
        threads.append(threading.Thread(target=run_worker, args=([app], stop), kwargs=where))
        threads[-1].start()
    deadline = time.monotonic() + 20
    ready = [False, False]
    while not all(ready) and time.monotonic() < deadline:
        ready = [is_ready(port) for port in ports]
    stop.set()
    for thread in threads:
        thread.join(20)
    for app in apps:
        app.database.close()
    assert ready == [True, True]
