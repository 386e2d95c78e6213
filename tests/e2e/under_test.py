"""What the end-to-end tests run against: a suite of their own, or an installation."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browser import Answer, Browser
from life import Life
from running import free_ports

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0
REFUSAL_PATIENCE = 20.0
SIMULATORS, REGISTRY = 90, 3  # ports above the suite's first (services/ports.toml)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Words a log of ours never holds; a crash of a library would.
TROUBLE = ("Traceback (most recent call last)", '"level":"error"', '"level": "error"')


@dataclass
class Running:
    """A suite that runs, and everybody who lived in it."""

    gateway: str
    simulators: str
    officers: dict[str, Any]
    bus_url: str | None = None
    logs: Path | None = None
    officer: Browser | None = None
    process: subprocess.Popen[bytes] | None = None
    lives: list[Life] = field(default_factory=list)

    @property
    def registry(self) -> str:
        """The employment registry, past the gateway."""
        base = int(self.simulators.rpartition(":")[2]) - SIMULATORS
        return f"http://127.0.0.1:{base + REGISTRY}"

    def new_life(self, **more: Any) -> Life:
        """A person nobody knows yet."""
        # One officer's browser for all: their code of the moment works once.
        self.officer = self.officer or Browser(self.gateway)
        life = Life(self.gateway, self.simulators, self.officers, colleague=self.officer, **more)
        self.lives.append(life)
        return life

    def stop(self) -> None:
        """Ctrl-C; everything is gone when it returns, with exit status 0."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            assert self.process.wait(60) == 0
        if self.logs is not None:
            state = self.logs.parent
            assert not (state / "postgres" / "data" / "postmaster.pid").exists()
            assert not (state / "run.json").exists()


def installation() -> Running | None:
    """What E2E_URL, E2E_SIMULATORS, E2E_OFFICERS and, if it may, E2E_BUS_URL point at."""
    url = os.environ.get("E2E_URL")
    if not url:
        return None
    officers = json.loads(Path(os.environ["E2E_OFFICERS"]).read_text())["officers"]
    return Running(url, os.environ["E2E_SIMULATORS"], officers, os.environ.get("E2E_BUS_URL"))


def started(bus: str, state: Path, stack: ExitStack) -> Running:
    """`make run` on a folder of its own, stopped with the stack."""
    environment = os.environ | free_ports() | {"BUS": bus}
    command = [sys.executable, str(ROOT / "tools" / "run.py"), "--state", str(state), "--forgetful"]
    out = stack.enter_context((state / "console").open("w+"))
    process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    stack.callback(end, process)
    deadline = time.monotonic() + PATIENCE
    while not (state / "run.json").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            said = (state / "console").read_text()
            if "BUS=rabbitmq: " in said and os.environ.get("CI") != "true":
                pytest.skip(said.strip().splitlines()[-1])
            pytest.fail(f"the suite did not start: {said[-3000:]}")
        time.sleep(0.05)
    facts = json.loads((state / "run.json").read_text())
    officers = json.loads(Path(facts["demo_file"]).read_text())["officers"]
    where = facts["gateway"], facts["simulators"], officers, facts["bus_url"]
    return Running(*where, logs=state / "log", process=process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Whatever happened, nothing is left running."""
    if process.poll() is None:
        process.terminate()
        process.wait(60)


def complaints(running: Running) -> list[str]:
    """Lines of any log that tell of a crash or of a person."""
    if running.logs is None:
        return []
    personal = [word for life in running.lives for word in life.person.personal]
    found = []
    for log in sorted(running.logs.parent.rglob("*")):
        if log.is_file() and (log.suffix in {".log", ".1"} or log.name in {"console", "out"}):
            lines = log.read_text(errors="replace").splitlines()
            told = (line for line in lines if any(w in line for w in (*TROUBLE, *personal)))
            found += [f"{log.name}: {line[:400]}" for line in told]
    return found


def seconds_until_refused(ask: Callable[[], int]) -> float:
    """How long until a token is worth nothing where it is asked for."""
    began = time.perf_counter()
    while ask() != 401:
        if time.perf_counter() - began > REFUSAL_PATIENCE:
            return REFUSAL_PATIENCE
    return time.perf_counter() - began


def assert_problem(answer: Answer, status: int, code: str = "") -> dict[str, Any]:
    """It is a problem document (RFC 9457) in Chinese with its code.

    Returns: the document.
    """
    assert answer.status == status, answer.text[:500]
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem: dict[str, Any] = answer.json
    assert problem["status"] == status
    assert problem["type"] == f"urn:jiuye:problem:{problem['code']}"
    assert CHINESE.search(problem["detail"]), problem
    if code:
        assert problem["code"] == code, problem
    return problem


def wrong_fields(problem: dict[str, Any]) -> dict[str, str]:
    """Field → code of everything that is wrong; each with a Chinese sentence."""
    assert all(CHINESE.search(error["message"]) for error in problem["errors"])
    return {error["field"]: error["code"] for error in problem["errors"]}
