"""The registry with two million registrations: how long readers wait, and what a filing costs.

    make bench B=registry

Reads: the service as gunicorn serves it, asked by officers of counties, cities and the province
with every filter, order and far-down pages, and by persons for their own list; p50 and p99 at the
API beside the limit, and the service's processor time, which other work on the machine changes
less. Writes: a form is filled in and submitted (draft, history, event, key) here,
in FastAPI on async SQLAlchemy and in Django REST framework (``registry_duty`` says what each does);
interleaved rounds on one PostgreSQL, processor time of the server's processes from /proc.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import registry_reads as reads
import registry_writes as writes
from registry_ground import Ground, ground
from registry_rows import ROWS, fill, write_drafts

GOAL_RATIO = 0.4


def read(ground: Ground, rows: int, times: int) -> bool:
    """Fill a database and read it; was every read within the goal?"""
    started = time.monotonic()
    url = ground.create("registry")
    fill(ground, url, rows)
    print(f"{rows:,} registrations written in {time.monotonic() - started:.0f} s\n", flush=True)
    port, process = ground.serve_registry(url)
    readers = reads.Readers(ground, port, rows)
    cases = readers.measure(times, process)
    print(f"\nprocessor time of the service's processes: {readers.spent:.2f} ms a reading\n")
    return reads.show(cases)


def write(ground: Ground, rounds: int, count: int) -> bool:
    """File the same forms everywhere; are we within the goal of every peer?"""
    forms = (rounds + 1) * count
    write_drafts(ground, ground.create("drafts"), forms)
    found = writes.contenders(ground, writes.filings(ground, forms))
    writes.check_same(found)
    writes.run(found, rounds, count)
    return writes.show(found) <= GOAL_RATIO


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--times", type=int, default=120, help="each way of reading")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=300, help="forms a round")
    parser.add_argument("--only", choices=("reads", "writes"))
    asked = parser.parse_args()
    print(f"cores {os.cpu_count()}, load before {os.getloadavg()[0]:.2f}\n", flush=True)
    good = True
    with ground() as made:
        if asked.only != "writes":
            good &= read(made, asked.rows, asked.times)
        if asked.only != "reads":
            print(f"\nThe goal is {GOAL_RATIO} of each peer:\n", flush=True)
            good &= write(made, asked.rounds, asked.count)
    print(f"\nload after {os.getloadavg()[0]:.2f}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
