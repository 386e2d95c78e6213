"""The command that starts a service: settings read once, served, drained, migrated, seeded."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from servicekit import launch, migrations
from servicekit.settings import ServiceSettings
from servicekit.testing.settings import sample_settings
from servicekit.testing.waiting import until

PATIENCE = 30.0
APP = """
from pathlib import Path

from flask import Blueprint, request
from launched_room.settings import Settings
from servicekit.db import standard_tables
from servicekit.facts import Facts
from servicekit.inbox import Subscriptions
from servicekit.jobs import Jobs
from servicekit.settings import BadSettings, load
from servicekit.web.access import public
from servicekit.web.app import Service, build
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


standard_tables(Base)
pages = Blueprint("pages", __name__)


@pages.get("/where")
@public
def where():
    return {"path": request.path, "root": request.script_root, "scheme": request.scheme}


@pages.get("/slow")
@public
def slow():
    Path("started").touch()
    with open("pipe") as pipe:
        return {"heard": pipe.read()}


SERVICE = Service(
    name="launched-room", title="x", package="launched_room", base=Base, blueprints=(pages,),
    facts=Facts("launched-room"), subscriptions=Subscriptions("launched-room"), jobs=Jobs(),
)


def create_app(settings=None, *, clock=None):
    settings = settings or load(Settings, "LAUNCHED_ROOM")
    if settings.event_prefix == "nobody":
        raise BadSettings("LAUNCHED_ROOM_EVENT_PREFIX: nobody is no prefix")
    return build(SERVICE, settings, clock=clock)
"""
SETTINGS = """
from dataclasses import dataclass
from servicekit.settings import ServiceSettings


@dataclass(frozen=True)
class Settings(ServiceSettings):
    pass
"""
SEED = """
from pathlib import Path


def seed(app):
    Path("seeded").write_text(app.service.name)
"""
MIGRATION = """
from alembic import op
from servicekit.migrations import create_standard_tables

revision, down_revision = "0001", None


def upgrade():
    create_standard_tables(op)
"""


@dataclass(frozen=True)
class Launched:
    """A service installed in a folder of its own."""

    folder: Path
    environment: dict[str, str]

    @contextmanager
    def web(self, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """The web process, answering; killed at the end if it has not ended."""
        port = free_port()
        command = [sys.executable, "-m", "servicekit.launch", "web", "launched-room"]
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--port", str(port), *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        try:
            until(lambda: status_of(port, "/livez") == 200)
            yield process, port
        finally:
            process.kill()
            process.wait(PATIENCE)

    @property
    def log(self) -> str:
        """What the process said."""
        return (self.folder / "log").read_text()


@pytest.fixture
def launched(tmp_path: Path, postgres: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launched]:
    """The sample service, installed where this process and its children find it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "launched_room"
    versions = package / "migrations" / "versions"
    versions.mkdir(parents=True)
    (package / "__init__.py").touch()
    for name, text in (("app", APP), ("settings", SETTINGS), ("seed", SEED)):
        (package / f"{name}.py").write_text(text)
    (versions / "0001_first_tables.py").write_text(MIGRATION)
    info = tmp_path / "launched_room-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: launched-room\nVersion: 0\n")
    (info / "entry_points.txt").write_text(
        "[suite.services]\nlaunched-room = launched_room.app:create_app\n"
    )
    with postgres.fresh_database() as url:
        given = sample_settings(ServiceSettings, "LAUNCHED_ROOM", database_url=url)
        names = ("database_url", "bus_url", "field_keys", "index_key", "history_key")
        told = {f"LAUNCHED_ROOM_{name}".upper(): str(getattr(given, name)) for name in names}
        launch.services.cache_clear()
        yield Launched(tmp_path, {**os.environ, **told, "PYTHONPATH": str(tmp_path)})
    launch.services.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "launched_room"]:
        del sys.modules[name]


@pytest.fixture
def here(launched: Launched, monkeypatch: pytest.MonkeyPatch, written_log: Any) -> Launched:
    """The same, for commands run in this process."""
    for name, value in launched.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(launched.folder)
    return launched


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def status_of(port: int, path: str) -> int:
    """The status; 0 when nobody answers."""
    try:
        return ask(port, path)[0]
    except OSError:
        return 0


@pytest.mark.req("OP-01")
@pytest.mark.slow
def test_a_service_is_migrated_served_and_drained(launched: Launched) -> None:
    with launched.web("--drain", "1") as (process, port):
        assert status_of(port, "/readyz") == 503  # no tables yet
        migrations.upgrade(launched.environment["LAUNCHED_ROOM_DATABASE_URL"], "launched_room")
        until(lambda: status_of(port, "/readyz") == 200)
        forged = {"SCRIPT_NAME": "/where", "X-Forwarded-Proto": "https", "PATH_INFO": "/x"}
        assert ask(port, "/where", **forged) == (
            200,
            b'{"path":"/where","root":"","scheme":"http"}',
        )
        assert status_of(port, "/where/inside") == 404
        os.mkfifo(launched.folder / "pipe")
        under_way = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        under_way.request("GET", "/slow")
        until((launched.folder / "started").exists)
        process.send_signal(signal.SIGTERM)
        until(lambda: status_of(port, "/readyz") == 503)  # first it says so
        assert status_of(port, "/livez") == 200  # and answers all the same
        (launched.folder / "pipe").write_text("to the end")
        assert under_way.getresponse().read() == b'{"heard":"to the end"}'
        under_way.close()
        assert process.wait(PATIENCE) == 0
    assert "Traceback" not in launched.log
    assert "[ERROR]" not in launched.log


@pytest.mark.req("OP-01")
@pytest.mark.slow
def test_kept_connections_are_answered_whatever_they_ask(launched: Launched) -> None:
    where = b"GET /where HTTP/1.1\r\nHost: a\r\n\r\n"
    said = b'{"path":"/where","root":"","scheme":"http"}'
    with launched.web("--threads", "2") as (process, port):
        kept = [http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE) for _ in range(9)]
        for number in range(90):  # more than threads, turn by turn
            here = kept[number % len(kept)]
            method = "HEAD" if number % 4 == 3 else "GET"
            here.request(method, "/where")
            assert here.getresponse().read() == (b"" if method == "HEAD" else said)
        kept[0].request("POST", "/where", iter([b"a" * 9, b"b" * 9]), encode_chunked=True)
        assert kept[0].getresponse().read().startswith(b"{")
        kept[0].request("GET", "/where", headers={"Connection": "close"})
        assert kept[0].getresponse().getheader("Connection") == "close"
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw:
            for _ in range(3):
                raw.sendall(where + where)  # the second does not wait for the first's answer
                answer = b""
                while answer.count(said) < 2:
                    answer += raw.recv(65536)
            raw.sendall(where[:20])
            raw.sendall(where[20:])
            answer = raw.recv(65536)
            while not answer.endswith(said):  # head and body one by one: gunicorn's own way
                answer += raw.recv(65536)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        for connection in kept:
            connection.close()
    assert "Traceback" not in launched.log
    assert "[ERROR]" not in launched.log


@pytest.mark.slow
def test_what_the_gateway_lets_through_is_not_refused_behind_it(launched: Launched) -> None:
    gateway = {"X-Big": "a" * 8000, **{f"X-{number}": "a" for number in range(150)}}
    with launched.web() as (_, port):
        assert ask(port, "/where?" + "a" * 8000, **gateway)[0] == 200


@pytest.mark.slow
def test_several_workers_count_together(launched: Launched) -> None:
    with launched.web("--workers", "2", "--threads", "2") as (process, port):
        for _ in range(20):
            assert status_of(port, "/where") == 200
        figures = ask(port, "/metrics")[1].decode()
        line = next(x for x in figures.splitlines() if "_count{" in x and 'route="/where"' in x)
        assert float(line.rsplit(" ", 1)[1]) == 20
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_migrations_and_seeds_are_commands_too(
    here: Launched, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launch.main(["migrate", "launched-room"]) == 0
    assert launch.main(["migrate", "launched-room"]) == 0
    assert launch.main(["seed", "launched-room"]) == 0
    assert (here.folder / "seeded").read_text() == "launched-room"
    url = here.environment["LAUNCHED_ROOM_DATABASE_URL"]
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE serial DROP COLUMN last")
    capsys.readouterr()
    assert launch.main(["migration", "launched-room", "give serial its last number back"]) == 0
    written = Path(capsys.readouterr().out.strip().splitlines()[-1])
    assert written.name.startswith("0002_give_serial")
    assert "last" in written.read_text()


def test_a_wrong_call_says_what_is_wrong(
    here: Launched, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAUNCHED_ROOM_LOG_LEVEL", "loud")
    monkeypatch.setenv("LAUNCHED_ROOM_COLOUR", "red")
    for command in ("web", "events", "migrate", "seed"):
        assert launch.main([command, "launched-room"]) == 2
        said = capsys.readouterr().err
        assert "LAUNCHED_ROOM_LOG_LEVEL" in said
        assert "LAUNCHED_ROOM_COLOUR is not a setting" in said
    assert launch.main(["web", "no-such-room"]) == 2
    assert "launched-room" in capsys.readouterr().err


@pytest.mark.slow
def test_what_only_the_service_itself_refuses_ends_the_server_too(launched: Launched) -> None:
    told = launched.environment | {"LAUNCHED_ROOM_EVENT_PREFIX": "nobody"}
    command = [sys.executable, "-m", "servicekit.launch", "web", "launched-room"]
    done = subprocess.run(
        [*command, "--port", str(free_port())],
        cwd=launched.folder,
        env=told,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 2
    assert "LAUNCHED_ROOM_EVENT_PREFIX: nobody is no prefix" in done.stderr.splitlines()
    assert "Traceback" not in done.stdout + done.stderr


def test_a_room_that_signs_nothing_has_no_key_to_withdraw(
    here: Launched, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, *more in (("keys",), ("withdraw-key", "kid", "--reason", "x")):
        assert launch.main([command, "launched-room", *more]) == 1
        assert "签名密钥" in capsys.readouterr().err


def test_a_withdrawal_without_a_reason_is_refused_in_words(
    here: Launched, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launch.main(["withdraw-key", "launched-room", "kid", "--reason", " "]) == 1
    assert capsys.readouterr().err == (
        "请用 --reason 写明停用该密钥的原因，如案件编号；不要写姓名。\n"
    )
