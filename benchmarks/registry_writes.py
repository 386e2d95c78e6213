"""Filling in a form and submitting it: processor time of the server, ours beside its peers."""

from __future__ import annotations

import json
import statistics
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from gateway_load import cpu_of
from registry_ground import OWN, Connection, Ground, Process, request

from servicekit.db import new_id

CONNECTIONS = 4
OURS_ALONE = {"check", "decision_rests_on", "guide_version"}
FORM = {
    "employment_type": "platform",
    "started_on": "2026-03-02",
    "work_place": "440106003",
    "address": "五山路1号",
    "occupation": "网约配送员",
    "monthly_income": "4500.00",
    "contact_phone": "13800000001",
}


@dataclass
class Contender:
    """A server, the persons who come to it, and what each cost.

    Args:
        filings: pairs of requests: fill in, then submit.
    """

    name: str
    port: int
    process: Process
    filings: Iterator[tuple[bytes, bytes]]
    saving: list[float] = field(default_factory=list)
    submitting: list[float] = field(default_factory=list)

    def round(self, count: int, *, counted: bool) -> None:
        """So many persons fill in their forms, then all submit them."""
        filings = list(islice(self.filings, count))
        for number, kept in enumerate((self.saving, self.submitting)):
            before = cpu_of(self.process.pid)
            _send(self.port, [filing[number] for filing in filings])
            if counted:
                kept.append((cpu_of(self.process.pid) - before) / count * 1e6)


def contenders(ground: Ground, forms: list[tuple[bytes, bytes]]) -> list[Contender]:
    """Ours, FastAPI and Django REST framework, each with a copy of the database ``drafts``."""
    ours = ground.serve_registry(ground.create("ours", like="drafts"))
    found = [Contender("jiuye", *ours, iter(forms))]
    uvicorn = ["uvicorn", "registry_fastapi:app", "--port", "{port}", "--no-access-log"]
    gunicorn = ["gunicorn", "--worker-class", "gthread", "--threads", "8"]
    gunicorn += ["--no-control-socket", "--bind", "127.0.0.1:{port}", "registry_django:app"]
    peers = {
        "FastAPI + async SQLAlchemy, uvicorn": ("fastapi", uvicorn),
        "Django REST framework, gunicorn gthread": ("django", gunicorn),
    }
    for name, (database, command) in peers.items():
        told = {
            "PEER_DATABASE_URL": ground.create(database, like="drafts"),
            "PEER_FIELD_KEYS": ground.field_keys,
            "PEER_INDEX_KEY": ground.index_key,
            "PEER_KEYS": json.dumps(ground.issuer.jwks()),
        }
        server = ground.start([sys.executable, "-m", *command], told, "/livez")
        found.append(Contender(name, *server, iter(forms)))
    return found


def check_same(found: list[Contender]) -> None:
    """One form each, so that everybody is seen to answer alike.

    Raises:
        RuntimeError: naming what differs.
    """
    said = []
    for contender in found:
        connection = Connection(contender.port)
        answers = [connection.ask(each) for each in next(contender.filings)]
        said.append([(status, _lasting(json.loads(body))) for status, body in answers])
        connection.close()
    for contender, answers in zip(found, said, strict=True):
        if answers != said[0]:
            raise RuntimeError(f"{contender.name} answers {answers}, and not {said[0]}")


def _lasting(answer: dict[str, Any]) -> dict[str, Any]:
    """Without what the moment decides, and what is ours alone."""
    passing = {"created_at", "updated_at", "submitted_at", "version", *OURS_ALONE}
    return {name: value for name, value in answer.items() if name not in passing}


def filings(ground: Ground, count: int) -> list[tuple[bytes, bytes]]:
    """What as many persons send; every contender is sent the same."""
    form = json.dumps({"employment": FORM}, ensure_ascii=False).encode()
    note = json.dumps({"note": None}).encode()
    found = []
    for number in range(1, count + 1):
        token, path = ground.person(f"drafter-{number}"), f"{OWN}/draft-{number}"
        save = request("PATCH", path, token, form, If_Match='"1"', Idempotency_Key=new_id())
        send = request(
            "POST", f"{path}/submit", token, note, If_Match='"2"', Idempotency_Key=new_id()
        )
        found.append((save, send))
    return found


def run(found: list[Contender], rounds: int, count: int) -> None:
    """Interleaved rounds; the first warms up."""
    for number in range(rounds + 1):
        for contender in found:
            contender.round(count, counted=number > 0)


def _send(port: int, requests: list[bytes]) -> None:
    left, wrong = iter(requests), []
    lock = threading.Lock()

    def go() -> None:
        connection = Connection(port)
        while True:
            with lock:
                asked = next(left, None)
            if asked is None:
                break
            status, body = connection.ask(asked)
            if status != 200:
                wrong.append((status, body))
        connection.close()

    threads = [threading.Thread(target=go) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(f"{len(wrong)} answers were not 200: {wrong[0]!r}")


def show(found: list[Contender]) -> float:
    """The table; the worst ratio of the first to another."""
    first, worst = found[0], 0.0
    print("| server | fill in, µs | submit, µs | both, µs | ours to it | |")
    print("| --- | --- | --- | --- | --- | --- |")
    for one in found:
        both = [a + b for a, b in zip(one.saving, one.submitting, strict=True)]
        ours = [a + b for a, b in zip(first.saving, first.submitting, strict=True)]
        ratios = [a / b for a, b in zip(ours, both, strict=True)]
        ratio = statistics.median(ratios)
        said = "" if one is first else f"{ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        worst = worst if one is first else max(worst, ratio)
        figures = [statistics.median(each) for each in (one.saving, one.submitting, both)]
        print(f"| {one.name} | " + " | ".join(f"{each:.0f}" for each in figures) + f" | {said} | |")
    return worst
