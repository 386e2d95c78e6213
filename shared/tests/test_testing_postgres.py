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


def numbered(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE room (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)"
        )
        connection.execute(
            "CREATE TABLE guest (room int REFERENCES room, n int GENERATED ALWAYS AS IDENTITY)"
        )
        connection.execute("INSERT INTO room (name) VALUES ('甲'), ('乙')")


def test_a_database_that_is_used_again_is_as_its_template(
    postgres: TestPostgres,  # noqa: F811
) -> None:
    postgres.template_for("kit-again", numbered)
    used: set[str] = set()
    for _ in range(3):
        with postgres.fresh_database("kit-again") as url, psycopg.connect(url) as db:
            used.add(url)
            assert db.execute("SELECT id, name FROM room ORDER BY id").fetchall() == [
                (1, "甲"),
                (2, "乙"),
            ]
            assert db.execute("SELECT count(*) FROM guest").fetchone() == (0,)
            added = db.execute("INSERT INTO room (name) VALUES ('丙') RETURNING id").fetchone()
            assert added == (3,)
            assert db.execute("INSERT INTO guest (room) VALUES (3) RETURNING n").fetchone() == (1,)
            db.execute("UPDATE room SET name = '丁' WHERE id = 1")
            db.execute("DELETE FROM room WHERE id = 2")
    assert len(used) == 1
    with postgres.fresh_database("kit-again") as url, psycopg.connect(url) as db:
        db.execute("ALTER TABLE room ADD COLUMN floor int")
    with postgres.fresh_database("kit-again") as other:
        assert other != url  # what changed its tables is not used again


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
