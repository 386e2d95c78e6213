"""Calls that start together, for tests of what may happen only once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from servicekit.errors import Refusal

GATE_SECONDS = 30


def at_once(*calls: Callable[[], Any]) -> Counter[str]:
    """Start all calls together, each in a thread of its own.

    Returns: how many ended how: by the code of a refusal, raised or answered over HTTP, or
    ``done``.
    """
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> str:
        gate.wait(GATE_SECONDS)
        try:
            answer = call()
        except Refusal as refused:
            return refused.code
        status = getattr(answer, "status_code", HTTPStatus.OK)
        return "done" if status < HTTPStatus.BAD_REQUEST else str(answer.json["code"])

    with ThreadPoolExecutor(len(calls)) as pool:
        return Counter(pool.map(run, calls))
