"""Calls that start together, for tests of what may happen only once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from servicekit.errors import Refusal

GATE_SECONDS = 30
T = TypeVar("T")


def answers_at_once(*calls: Callable[[], T]) -> list[T]:
    """Start all calls together, each in a thread of its own.

    Returns: what each gave, in the order of the calls.
    Raises: what one raised, when all have ended.
    """
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        gate.wait(GATE_SECONDS)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def at_once(*calls: Callable[[], Any]) -> Counter[str]:
    """Start all calls together, each in a thread of its own.

    Returns: how many ended how: by the code of a refusal, raised or answered over HTTP, or
    ``done``.
    """

    def end(call: Callable[[], Any]) -> str:
        try:
            answer = call()
        except Refusal as refused:
            return refused.code
        status = getattr(answer, "status_code", HTTPStatus.OK)
        return "done" if status < HTTPStatus.BAD_REQUEST else str(answer.json["code"])

    return Counter(answers_at_once(*[partial(end, call) for call in calls]))
