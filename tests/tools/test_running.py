"""The parts of `make run`: rooms that come back, stop and tell why; secrets; ports; databases."""

import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import choice
import databases
import development_token
import psycopg
import pytest
from secret_folder import SecretFolder, key, password

from servicekit.testing.embedded import EmbeddedPostgres

HERE = Path(__file__).parent


def trial(name: str, logs: Path) -> str:
    command = [sys.executable, "-W", "ignore", str(HERE / "trial_rooms.py"), name, str(logs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_killed_room_comes_back_and_stops_when_told(tmp_path: Path) -> None:
    out = trial("restarts", tmp_path)
    assert "sleep ended (signal SIGKILL), starting it again" in out
    assert out.endswith("gone\n")


def test_a_room_that_keeps_ending_is_named_with_its_last_lines(tmp_path: Path) -> None:
    out = trial("gives-up", tmp_path)
    assert out.count("starting it again") == 5
    assert "fail failed (exit status 3):\n" in out
    assert "the reason it failed" in out.splitlines()[-1]


def test_a_task_that_fails_stops_the_start(tmp_path: Path) -> None:
    out = trial("tasks", tmp_path)
    assert "fail failed (exit status 3)" in out


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_room_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    assert "stubborn did not stop in 0 s and was killed" in trial("stubborn", tmp_path)


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = SecretFolder(tmp_path / "secrets")
    first = folder.text("one", password)
    assert SecretFolder(tmp_path / "secrets").text("one", password) == first
    assert folder.text("two", key) != first
    assert stat.S_IMODE(folder.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in folder.folder.iterdir()} == {0o600}


def test_a_development_token_is_for_the_suite_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    assert development_token.issuer(tmp_path).issuer == "http://127.0.0.1:8080/identity"
    (tmp_path / "run.json").write_text('{"gateway": "http://127.0.0.1:9580"}')
    assert development_token.issuer(tmp_path).issuer == "http://127.0.0.1:9580/identity"


def test_a_taken_port_is_told_with_the_room_that_needs_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(choice.CannotRunError, match=rf"in use: {port} \(gateway\); PORT="):
            choice.refuse_taken_ports({"gateway": port})
    choice.refuse_taken_ports({"gateway": port})
    with pytest.raises(choice.CannotRunError, match=rf"in use: {port} \(gateway\); PORT="):
        choice.refuse_taken_ports({"simulators": port, "gateway": port})


def test_one_suite_per_folder(tmp_path: Path) -> None:
    with (
        choice.alone(tmp_path),
        pytest.raises(choice.CannotRunError, match="another suite"),
        choice.alone(tmp_path),
    ):
        pass


@pytest.mark.slow
def test_no_service_opens_anothers_database() -> None:
    # Not pytest's folder, which it closes to others: as root PostgreSQL is another account.
    folder = Path(tempfile.mkdtemp(prefix="jiuye-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "pg", durable=False, password="super")
    try:
        server.start()
        owners = {"one": "secret-one", "two": "secret-two"}
        assert databases.ensure(server.url("postgres"), owners) == ["one", "two"]
        assert databases.ensure(server.url("postgres"), {**owners, "one": "changed"}) == []
        psycopg.connect(server.url("one", user="one", password="changed")).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url("one", user="one", password="secret-one"))
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(server.url("one", user="two", password="secret-two"))
    finally:
        server.destroy()
        folder.rmdir()
