"""Who reads what of two million registrations, and how long they wait."""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from gateway_load import cpu_of
from registry_ground import OWN, REVIEWS, Connection, Ground, Process, percentile, request
from registry_rows import PERSONS, counties

GOAL_MILLISECONDS = 20.0
OFFICES = 12
READERS = 200
DEEP = 60  # pages of a hundred lines before the ones that are measured
_NOTHING: dict[str, str] = {}


@dataclass
class Case:
    """One way of reading: what the n-th request asks, and how long the answers took."""

    title: str
    ask: Callable[[int], bytes]
    took: list[float] = field(default_factory=list)
    lines: int = 0


class Readers:
    """Officers of counties, a city and the province, and persons, with their tokens."""

    def __init__(self, ground: Ground, port: int, rows: int) -> None:
        self._chance = random.Random(7)
        self._connection = Connection(port)
        offices = self._chance.sample(counties(), OFFICES)
        self._county = [ground.officer(code) for code in offices]
        self._city = [ground.officer(code[:4]) for code in offices]
        self._province = ground.officer("44")
        persons = int(rows * PERSONS)
        accounts = [f"account-{self._chance.randrange(persons)}" for _ in range(READERS)]
        self._persons = [(each, ground.person(each)) for each in accounts]
        self.spent = 0.0

    def measure(self, count: int, process: Process) -> list[Case]:
        """Every case so many times, in turn; the first time of each is not counted.

        ``spent`` is then the processor time of one reading in milliseconds, over all of them.
        """
        cases = self._cases()
        before = cpu_of(process.pid)
        for number in range(count + 1):
            for case in cases:
                status, body = self._connection.ask(case.ask(number))
                if status != 200:
                    raise RuntimeError(f"{case.title}: {status} {body!r}")
                if number:
                    case.took.append(self._connection.took[-1] * 1000)
                    case.lines += len(json.loads(body)["items"])
        self._connection.close()
        self.spent = (cpu_of(process.pid) - before) / (len(cases) * (count + 1)) * 1000
        return cases

    def _cases(self) -> list[Case]:
        now = datetime.now(UTC).date()
        month = {
            "submitted_from": str(now - timedelta(days=200)),
            "submitted_to": str(now - timedelta(days=170)),
        }
        filters = {
            "everything": _NOTHING,
            "to be decided": {"state": "submitted"},
            "returned": {"state": "returned"},
            "approved": {"state": "approved"},
            "filed in a month": month,
            "rejected in a month": month | {"state": "rejected"},
            "overdue": {"due": "overdue"},
            "due soon, held by nobody": {"due": "soon", "held_by": "nobody"},
            "one's own": {"held_by": "me"},
            "newest first": {"order": "newest"},
            "rejected, newest first": {"order": "newest", "state": "rejected"},
        }
        offices = {
            "county": lambda n: self._county[n % OFFICES],
            "city": lambda n: self._city[n % OFFICES],
            "province": lambda n: self._province,
        }
        cases = [
            Case(f"{office} officer: {title}", self._queue(token, query))
            for office, token in offices.items()
            for title, query in filters.items()
        ]
        cases += [
            Case(f"{office} officer: {title}, page {DEEP * 5}", self._deep(token(0), query))
            for office, token in offices.items()
            for title, query in (("everything", _NOTHING), ("approved", filters["approved"]))
        ]
        cases += [
            Case("province officer: of one applicant", self._of_one("applicant_id")),
            Case("province officer: by number", self._of_one("number")),
            Case("person: own list", self._own(_NOTHING)),
            Case("person: own list, approved", self._own({"state": "approved"})),
        ]
        return cases

    def _queue(self, token: Callable[[int], str], query: dict[str, str]) -> Callable[[int], bytes]:
        asked = f"{REVIEWS}?{urlencode(query)}"
        return lambda number: request("GET", asked, token(number))

    def _deep(self, token: str, query: dict[str, str]) -> Callable[[int], bytes]:
        """Pages far down, one after the other."""
        cursors: list[str] = []
        place = ""
        for number in range(DEEP + 10):
            asked = query | {"limit": "100"} | ({"cursor": place} if place else {})
            page = json.loads(
                self._connection.ask(request("GET", f"{REVIEWS}?{urlencode(asked)}", token))[1]
            )
            if page["next_cursor"] is None:
                break
            place = page["next_cursor"]
            if number >= DEEP:
                cursors.append(place)
        last = cursors or [place]

        def ask(number: int) -> bytes:
            asked = urlencode(query | {"cursor": last[number % len(last)]})
            return request("GET", f"{REVIEWS}?{asked}", token)

        return ask

    def _of_one(self, name: str) -> Callable[[int], bytes]:
        values = []
        for account, token in self._persons[:OFFICES]:
            items = json.loads(self._connection.ask(request("GET", OWN, token))[1])["items"]
            values += [each["number"] if name == "number" else account for each in items]
        values = [each for each in values if each]

        def ask(number: int) -> bytes:
            asked = urlencode({name: values[number % len(values)]})
            return request("GET", f"{REVIEWS}?{asked}", self._province)

        return ask

    def _own(self, query: dict[str, str]) -> Callable[[int], bytes]:
        asked = f"{OWN}?{urlencode(query)}"
        return lambda number: request("GET", asked, self._persons[number % READERS][1])


def show(cases: list[Case]) -> bool:
    """The table; was every case below the goal?"""
    print(f"| read | lines | p50 ms | p99 ms (goal {GOAL_MILLISECONDS:.0f}) | |")
    print("| --- | --- | --- | --- | --- |")
    worst = 0.0
    for case in cases:
        p99 = percentile(case.took, 0.99)
        worst = max(worst, p99)
        said = "" if p99 <= GOAL_MILLISECONDS else "missed"
        lines = case.lines / len(case.took)
        p50 = statistics.median(case.took)
        print(f"| {case.title} | {lines:.0f} | {p50:.1f} | {p99:.1f} | {said} |")
    every = [each for case in cases for each in case.took]
    print(
        f"| all {len(every)} together | | {statistics.median(every):.1f} "
        f"| {percentile(every, 0.99):.1f} | |"
    )
    return worst <= GOAL_MILLISECONDS
