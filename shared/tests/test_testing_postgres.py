"""The test server: one per session, templates built once, clones independent, nothing left."""

import os
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from servicekit.testing.embedded import MAX_SOCKET_PATH, SOCKET_NAME, EmbeddedPostgres
from servicekit.testing.postgres import TestPostgres, postgres, session_server  # noqa: F401


def make_table(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE thing (name text)")
        connection.execute("INSERT INTO thing VALUES ('来自模板')")


def names(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [str(row[0]) for row in connection.execute("SELECT name FROM thing ORDER BY name")]


def test_clones_of_a_template_do_not_see_each_other(postgres: TestPostgres) -> None:  # noqa: F811
    postgres.template_for("kit-trial", make_table)
    with postgres.fresh_database("kit-trial") as one, postgres.fresh_database("kit-trial") as two:
        with psycopg.connect(one) as connection:
            connection.execute("INSERT INTO thing VALUES ('只在一个')")
        assert names(one) == ["只在一个", "来自模板"]
        assert names(two) == ["来自模板"]


def test_a_template_is_built_once(postgres: TestPostgres) -> None:  # noqa: F811
    built: list[str] = []
    for _ in range(2):
        postgres.template_for("kit-once", built.append)
    assert len(built) <= 1  # 0: another worker was first


def test_a_fresh_database_goes_away_even_when_somebody_is_connected(
    postgres: TestPostgres,  # noqa: F811
) -> None:
    with postgres.fresh_database() as url:
        left_open = psycopg.connect(url)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")
    left_open.close()


def test_the_server_ends_with_its_last_user_even_a_killed_one() -> None:
    session = f"ends-{os.getpid()}-{time.time_ns()}"
    digest = sha256(f"{os.getuid()}:{session}".encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"jiuye-pg-{digest}"
    code = (
        "import os, signal, sys; from servicekit.testing.postgres import session_server\n"
        "print(session_server(sys.argv[1]).url(), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", code, session]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "postgresql://" in done.stdout, done.stderr
    deadline = time.monotonic() + 30
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()


def test_a_deep_folder_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    deep = EmbeddedPostgres(tmp_path / ("深" * 40))
    assert len(os.fsencode(deep.sockets / SOCKET_NAME)) <= MAX_SOCKET_PATH
