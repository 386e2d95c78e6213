"""An officer's list as a spreadsheet: 100,000 rows, in memory that does not grow with them.

Each size is made by a worker's process of its own, from a database of its own; the file is fetched
as an officer would and counted by openpyxl. Goal: at 100,000 rows the process is at its highest at
most 1.25 times as large as at 1,000.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import openpyxl
from registry_ground import BUSINESS, Ground, ground
from registry_rows import fill

from employment_registry.exporting import exports_of
from employment_registry.settings import Settings
from servicekit.applications import Actor
from servicekit.clock import SystemClock
from servicekit.db import Database
from servicekit.exports.building import Builder
from servicekit.exports.wishes import Wish
from servicekit.settings import load
from servicekit.teamwork import roster
from servicekit.teamwork.reviews import TeamFilters
from servicekit.teamwork.rules import KnownOfficer
from servicekit.vault import Vault
from servicekit.workflow import Role

SIZES = (1_000, 100_000)
FILED = 0.97  # of the rows, somewhat less than are: drafts are in nobody's queue
GOAL = 1.25
OFFICER = Actor("officer", Role.REVIEWER, "officer", region="44", businesses=frozenset({BUSINESS}))


def main() -> None:
    """Print both sizes and how they compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", type=Path, help="make one file and write it here")
    parser.add_argument("--sizes", type=int, nargs=2, default=SIZES)
    asked = parser.parse_args()
    if asked.worker is not None:
        print(json.dumps(make_one(asked.worker)))
        return
    with ground() as here:
        small, large = (measure(here, size) for size in asked.sizes)
    print("| rows | seconds | rows/s | processor, s | file, MiB | before, MiB | at its highest |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for each in (small, large):
        print(
            f"| {each['rows']:,.0f} | {each['seconds']:.1f} | {each['rows'] / each['seconds']:,.0f}"
            f" | {each['worked']:.1f} | {each['size']:.1f} | {each['before']:.1f}"
            f" | {each['peak']:.1f} |"
        )
    ratio = large["peak"] / small["peak"]
    said = "met" if ratio <= GOAL else "missed"
    print(f"memory at its highest: {ratio:.2f} × (goal ≤ {GOAL}: {said})")


def measure(here: Ground, size: int) -> dict[str, float]:
    """One size, in a process that has done nothing before."""
    url = here.create(f"rows_{size}")
    fill(here, url, rows=int(size / FILED))
    file = here.folder / f"{size}.xlsx"
    known = here.environment(url)
    known["EMPLOYMENT_REGISTRY_STORAGE_URL"] = f"file://{here.folder}/files"
    command = [sys.executable, __file__, "--worker", str(file)]
    done = subprocess.run(
        command, env=os.environ | known, capture_output=True, text=True, check=True
    )
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    book = openpyxl.load_workbook(file, read_only=True)
    found = sum(1 for _ in book.worksheets[1].iter_rows()) - 1
    if found != told["rows"]:
        raise RuntimeError(f"{found} rows in the file, {told['rows']:.0f} are told")
    return told


def make_one(file: Path) -> dict[str, float]:
    """Ask for everything, make it, fetch it; all in this process."""
    settings, clock = load(Settings, "EMPLOYMENT_REGISTRY"), SystemClock()
    vault = Vault(settings.field_keys, settings.index_key)
    database = Database(settings.database_url, vault=vault, pool_size=4, application_name="export")
    exports = exports_of(settings, vault)
    known = KnownOfficer(OFFICER.id, "44", OFFICER.businesses, frozenset({"reviewer"}), True)
    wish = Wish(purpose="十万行导出的测试", filters=TeamFilters())
    with database.transaction() as db:
        roster.keep(db, known, now=clock.now())
        asked = exports.ask(db, BUSINESS, wish, actor=OFFICER, now=clock.now())
    before = memory("VmRSS")
    began, worked = time.perf_counter(), time.process_time()
    Builder(exports, database, clock, threading.Event()).work_off()
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    peak = memory("VmHWM")
    with database.transaction() as db:
        row, pieces = exports.download(db, BUSINESS, asked.id, actor=OFFICER, now=clock.now())
    with file.open("wb") as out:
        out.writelines(pieces)
    database.close()
    size = file.stat().st_size / 2**20
    told = {"rows": row.rows or 0, "seconds": seconds, "worked": worked}
    return told | {"size": size, "before": before, "peak": peak}


def memory(name: str) -> float:
    """Of this process, in MiB, as the kernel counts it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
