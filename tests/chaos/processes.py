"""The processes that are killed: a relay, a consumer, and careless ones that prove the checker.

python tests/chaos/processes.py relay|consumer|careless-consumer DATABASE_URL BUS_URL QUEUE

Without arguments it waits for lines with such arguments in JSON, forks a process for each and says
its number: everything is imported once, not with every kill.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import NoReturn

from marshmallow import Schema, fields
from sqlalchemy import text
from sqlalchemy.orm import Session

from servicekit.bus import DONE, Delivery, Verdict, connect
from servicekit.bus.envelope import decode
from servicekit.clock import SystemClock
from servicekit.consumer import Consumer
from servicekit.db import Database
from servicekit.inbox import Envelope, Subscriptions
from servicekit.relay import Relay

PREFIX = "cn.gov.test"
SOURCE = "telling"
EVENT_TYPE = "telling.matter.happened.v1"

HEARD = (
    "CREATE TABLE heard (place bigint GENERATED ALWAYS AS IDENTITY, subject text, sequence bigint)"
)
INSERT = text("INSERT INTO heard (subject, sequence) VALUES (:subject, :sequence)")


class Happened(Schema):
    """What the hearing service reads."""

    n = fields.Int(required=True, strict=True)


def subscriptions(queue: str) -> Subscriptions:
    """The hearing service writes down what takes effect."""
    hearing = Subscriptions(queue)

    @hearing.on(EVENT_TYPE, reads=Happened)
    def write_down(db: Session, _: dict[str, int], envelope: Envelope) -> None:
        db.execute(INSERT, {"subject": envelope.subject, "sequence": envelope.sequence})

    return hearing


def careless_consumer(database: Database, bus_url: str, queue: str, stop: threading.Event) -> None:
    """No inbox, no order, and what fails is acknowledged all the same."""

    def handle(batch: Sequence[Delivery]) -> list[Verdict]:
        for delivery in batch:
            envelope = decode(delivery.message.body, PREFIX)
            with database.transaction() as db:
                db.execute(INSERT, {"subject": envelope.subject, "sequence": envelope.sequence})
            stop.wait(0.005)  # slow, so that the kill finds it between effect and receipt
        return [DONE for _ in batch]

    bus = connect(bus_url, service="hearing")
    bus.consume(queue, handle, stop)


def main(role: str, database_url: str, bus_url: str, queue: str) -> None:
    """Play one role until SIGTERM, or until the kill."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    database = Database(database_url, vault=None, pool_size=2, application_name=role)
    if role == "careless-consumer":
        careless_consumer(database, bus_url, queue, stop)
        return
    bus = connect(bus_url, service=role)
    clock = SystemClock()
    if role == "relay":
        Relay(database, bus, source=SOURCE, prefix=PREFIX, clock=clock).run(stop)
    else:
        Consumer(database, bus, subscriptions(queue), prefix=PREFIX, clock=clock).run(stop)
    bus.close()


def play(*arguments: str) -> NoReturn:
    """Be one of the processes, and nothing of the one it was forked from."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    try:
        main(*arguments)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)


def fork_on_demand() -> None:
    """Until the input ends, and everybody forked with it."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel collects who has ended
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            play(*json.loads(line))
        print(pid, flush=True)  # noqa: T201 - who asked reads it
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:]) if sys.argv[1:] else fork_on_demand()
