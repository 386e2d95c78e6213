"""Events: latency from commit to effect in another service, and the relay against a C client.

    make bench B=events

Latency: 100 events a second, relay and consumer in a process of their own, as in `make run`; from
the commit in one service until the effect has committed in another. Goal on RabbitMQ: p50 5 ms,
p99 20 ms. Throughput: a full outbox through the relay, in rounds with the fastest client of
RabbitMQ that can be built here (librabbitmq in C, else raw pika), messages of the same size.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pika
import psycopg
from marshmallow import Schema
from pika.adapters.select_connection import SelectConnection
from running import ROOT
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.orm import Session

from servicekit.bus import EXCHANGE, Bus, connect
from servicekit.bus.envelope import encode
from servicekit.clock import SystemClock
from servicekit.consumer import Consumer
from servicekit.db import Database, sqlalchemy_url
from servicekit.inbox import Subscriptions
from servicekit.listening import Listener
from servicekit.migrations import create_standard_tables
from servicekit.ordering import Envelope
from servicekit.outbox import Event, announce
from servicekit.relay import Relay
from servicekit.testing.embedded import EmbeddedPostgres

sys.path.append(str(ROOT / "tools"))
from packages import NotHere, unpack
from rabbitmq import NoRabbitMQ, RabbitNode
from rabbitmq_packages import FOLDER

PREFIX = "cn.gov.test"
EVENT_TYPE = "telling.matter.happened.v1"
DATA = {
    "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "number": "440106LHJY202603020000018",
    "business": "employment-registry.flexible-employment",
    "region": "440106",
    "move": "approve",
    "before": "submitted",
    "after": "approved",
}
QUEUE = "benchmark"
C_WINDOW = 2000

WORKER = """
import signal, sys, threading
from types import SimpleNamespace
from marshmallow import Schema
from pika.adapters.select_connection import SelectConnection
from servicekit.clock import SystemClock
from servicekit.consumer import Consumer
from servicekit.db import Database
from servicekit.inbox import Subscriptions
from servicekit.jobs import Jobs
from servicekit.worker import run_worker
from sqlalchemy import text

hearing = Subscriptions("hearing")

@hearing.on("telling.matter.happened.v1", reads=Schema)
def effect(db, value, envelope):
    db.execute(text("SELECT pg_notify('effect', :id)"), {"id": envelope.id})

def app(name, url, subscriptions):
    return SimpleNamespace(
        service=SimpleNamespace(name=name, subscriptions=subscriptions, jobs=Jobs()),
        settings=SimpleNamespace(bus_url=sys.argv[3], event_prefix="cn.gov.test"),
        database=Database(url, vault=None, application_name=name), clock=SystemClock())

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
run_worker([app("telling", sys.argv[1], Subscriptions("telling")),
            app("hearing", sys.argv[2], hearing)], stop)
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each latency run")
    parser.add_argument("--rounds", type=int, default=5, help="of each throughput contender")
    parser.add_argument("--count", type=int, default=20_000, help="events in a round")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiuye-events-")))
        folder.chmod(0o711)  # as root PostgreSQL runs as another account
        server = EmbeddedPostgres(folder / "pg")
        server.start()
        stack.callback(server.destroy)
        report_latency(server, "local", local_bus(server), options.seconds)
        try:
            node = RabbitNode.start(folder / "rabbitmq")
        except NoRabbitMQ as reason:
            print(f"no figures on RabbitMQ: {reason}")
            return
        stack.callback(node.stop)
        report_latency(server, "amqp", node.url, options.seconds)
        drop_queue(node.url, "hearing")
        report_throughput(server, node.url, folder, options.rounds, options.count)
        drop_queue(node.url, QUEUE)
        report_consumer(server, "amqp", node.url, options.rounds, options.count)
        report_relay(server, "local", local_bus(server), options.rounds, options.count)
        report_consumer(server, "local", local_bus(server), options.rounds, options.count)


def local_bus(server: EmbeddedPostgres) -> str:
    """A local bus of its own."""
    return f"local://{database(server, f'bus_{time.monotonic_ns()}', tables=False)}"


def database(server: EmbeddedPostgres, name: str, *, tables: bool = True) -> str:
    """A new database with the standard tables."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    url = server.url(name)
    if tables:
        engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
        with engine.begin() as connection:
            create_standard_tables(SimpleNamespace(get_bind=lambda: connection))
    return url


def report_latency(server: EmbeddedPostgres, name: str, bus_url: str, seconds: float) -> None:
    """100 commits a second; each waits for nothing."""
    telling = database(server, f"{name}_telling")
    hearing = database(server, f"{name}_hearing")
    effects: dict[str, float] = {}
    committed: dict[str, float] = {}
    over = threading.Event()
    with worker(telling, hearing, bus_url), Listener(hearing, name="bench") as listener:
        wait_for(lambda: bound(hearing))
        listener.listen("effect")
        hear = threading.Thread(target=collect, args=(listener, effects, over))
        hear.start()
        at_a_steady_pace(telling, committed, 100, seconds)
        wait_for(lambda: len(effects) >= len(committed))
        over.set()
        hear.join()
    warm = list(committed)[100:]
    waits = sorted(1000 * (effects[each] - committed[each]) for each in warm)
    print(
        f"latency, commit to effect, {name}, 100/s: p50 {percentile(waits, 50):.1f} ms,"
        f" p95 {percentile(waits, 95):.1f}, p99 {percentile(waits, 99):.1f},"
        f" worst {waits[-1]:.1f} of {len(waits)} (goal on RabbitMQ: p50 5, p99 20)",
        flush=True,
    )


@contextmanager
def worker(telling: str, hearing: str, bus_url: str) -> Iterator[None]:
    """Relay and consumer in one process, as `make run` has them."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, telling, hearing, bus_url], stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def collect(listener: Listener, effects: dict[str, float], over: threading.Event) -> None:
    """When each effect was seen to be committed."""
    while not over.is_set():
        for notification in listener.connection.notifies(timeout=0.5, stop_after=1):
            effects[notification.payload] = time.monotonic()


def at_a_steady_pace(url: str, committed: dict[str, float], rate: int, seconds: float) -> None:
    """Announce by the clock, not by the answers."""
    database = Database(url, vault=None, application_name="bench")
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        event = new_event(f"s{number % 1000}")
        with database.transaction() as db:
            announce(db, event)
        committed[event.id] = time.monotonic()
    database.close()


def new_event(subject: str) -> Event:
    """An approval, as most events are."""
    return Event(EVENT_TYPE, subject, datetime.now(UTC), DATA)


def bound(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1 FROM subscription").fetchone() is not None


def report_throughput(
    server: EmbeddedPostgres, bus_url: str, folder: Path, rounds: int, count: int
) -> None:
    """The relay and the fastest client take turns, on one broker, into one kind of queue."""
    rival, name = rival_client(bus_url, folder)
    rates: dict[str, list[float]] = {"relay": [], name: []}
    bus = connect(bus_url, service="benchmark")
    telling = Telling(server, "throughput", count)
    for _ in range(rounds):
        fresh_queue(bus_url, bus)
        rates["relay"].append(count / telling.carry(bus))
        fresh_queue(bus_url, bus)
        rates[name].append(count / rival(count))
    bus.close()
    for contender, found in rates.items():
        print(f"publishing, {contender}: {spread(found)}")
    ratio = statistics.median(a / b for a, b in zip(rates["relay"], rates[name], strict=True))
    print(f"relay / {name}: {ratio:.2f}", flush=True)


def report_consumer(
    server: EmbeddedPostgres, name: str, bus_url: str, rounds: int, count: int
) -> None:
    """A full queue through inbox and order; the handler writes one row."""
    hearing = Subscriptions("hearing")

    @hearing.on(EVENT_TYPE, reads=Schema)
    def effect(db: Session, value: Any, envelope: Envelope) -> None:
        db.execute(text("INSERT INTO heard VALUES (:id)"), {"id": envelope.id})

    url = database(server, f"{name}_consuming")
    own = Database(url, vault=None, application_name="hearing")
    with own.transaction() as db:
        db.execute(text("CREATE TABLE heard (id text)"))
    bus = connect(bus_url, service="benchmark")
    consumer = Consumer(own, bus, hearing, prefix=PREFIX, clock=SystemClock())
    consumer.bind()
    found = []
    for number in range(rounds):
        events = [sample(f"s{number}-{n % 1000}", n // 1000 + 1) for n in range(count)]
        bus.publish([encode(event, PREFIX) for event in events])
        stop = threading.Event()
        thread = threading.Thread(target=consumer.run, args=(stop,), daemon=True)
        began = time.monotonic()
        thread.start()
        with psycopg.connect(url, autocommit=True) as watching:
            wait_for(lambda n=number: heard(watching) == count * (n + 1))
        found.append(count / (time.monotonic() - began))
        stop.set()
        thread.join()
    bus.close()
    own.close()
    print(f"consuming, {name}: {spread(found)}", flush=True)


def heard(watching: psycopg.Connection[Any]) -> int:
    row = watching.execute("SELECT count(*) FROM heard").fetchone()
    return int(row[0]) if row else 0


def report_relay(
    server: EmbeddedPostgres, name: str, bus_url: str, rounds: int, count: int
) -> None:
    """The relay on the local bus, for comparison."""
    bus = connect(bus_url, service="benchmark")
    bus.declare(QUEUE, ["#"])
    telling = Telling(server, "throughput_local", count)
    found = [count / telling.carry(bus) for _ in range(rounds)]
    bus.close()
    print(f"publishing, relay on {name}: {spread(found)}")


class Telling:
    """A service with a full outbox."""

    def __init__(self, server: EmbeddedPostgres, name: str, count: int) -> None:
        self._database = Database(database(server, name), vault=None, application_name=name)
        for start in range(0, count, 1000):
            with self._database.transaction() as db:
                for number in range(start, min(start + 1000, count)):
                    announce(db, new_event(f"s{number % 1000}"))

    def carry(self, bus: Bus) -> float:
        """Seconds until all are confirmed and marked."""
        with self._database.transaction() as db:
            db.execute(text("UPDATE outbox SET published_at = NULL"))
        with psycopg.connect(self._database.url, autocommit=True) as admin:
            admin.execute("VACUUM ANALYZE outbox")
        bus.publish([encode(sample(), PREFIX)])  # the connection is up
        stop = threading.Event()
        relay = Relay(self._database, bus, source="telling", prefix=PREFIX, clock=SystemClock())
        thread = threading.Thread(target=relay.run, args=(stop,), daemon=True)
        began = time.monotonic()
        thread.start()
        with psycopg.connect(self._database.url, autocommit=True) as watching:
            query = "SELECT FROM outbox WHERE published_at IS NULL LIMIT 1"
            wait_for(lambda: watching.execute(query).fetchone() is None)
        took = time.monotonic() - began
        stop.set()
        thread.join()
        return took


def sample(subject: str = "s1", sequence: int = 2) -> Envelope:
    event = new_event(subject)
    return Envelope(
        event.id, event.type, "telling", event.stream, subject, event.time, sequence, DATA,
        event.time,
    )  # fmt: skip


def fresh_queue(bus_url: str, bus: Bus) -> None:
    """An empty quorum queue, bound to everything, for each turn."""
    drop_queue(bus_url, QUEUE)
    bus.declare(QUEUE, ["#"])


def drop_queue(bus_url: str, name: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(bus_url)) as connection:
        connection.channel().queue_delete(name)


def rival_client(bus_url: str, folder: Path) -> tuple[Callable[[int], float], str]:
    """The C client where it can be built, else raw pika."""
    message = encode(sample(), PREFIX)
    program = folder / "publish"
    try:
        build(program)
    except (NotHere, OSError, subprocess.CalledProcessError) as reason:
        print(f"no C client here: {reason}")
        return lambda count: pika_publishes(bus_url, message, count), "raw pika, window 500"
    address = urlsplit(bus_url)
    where = [str(address.hostname), str(address.port), EXCHANGE, message.routing_key]

    def publish(count: int) -> float:
        sizes = [str(count), str(len(message.body)), str(C_WINDOW)]
        done = subprocess.run([program, *where, *sizes], capture_output=True, check=True, text=True)
        return float(done.stdout)

    return publish, f"C client, window {C_WINDOW}"


def build(program: Path) -> None:
    """Compile against the distribution's librabbitmq, installed or unpacked beside RabbitMQ."""
    if shutil.which("gcc") is None:
        raise NotHere("no gcc")
    source, flags = str(Path(__file__).with_name("publish.c")), ["-O2", "-o", str(program)]
    try:
        command = ["gcc", source, *flags, "-lrabbitmq"]
        subprocess.run(command, check=True, capture_output=True)
    except subprocess.CalledProcessError:
        root = unpack("librabbitmq-dev", FOLDER / "librabbitmq")
        library = next(root.glob("usr/lib/*/librabbitmq.so")).parent
        where = ["-I", str(root / "usr/include"), "-L", str(library), f"-Wl,-rpath,{library}"]
        subprocess.run(["gcc", source, *flags, *where, "-lrabbitmq"], check=True)


def pika_publishes(bus_url: str, message: Any, count: int) -> float:
    """Raw pika, 500 in flight."""
    state = SimpleNamespace(sent=0, confirmed=0, began=0.0, took=0.0)

    def pump(channel: Any) -> None:
        while state.sent < count and state.sent - state.confirmed < 500:
            channel.basic_publish(EXCHANGE, message.routing_key, message.body, durable, True)
            state.sent += 1

    def confirmed(channel: Any, frame: Any) -> None:
        tag = frame.method.delivery_tag
        state.confirmed = tag if frame.method.multiple else state.confirmed + 1
        if state.confirmed >= count:
            state.took = time.monotonic() - state.began
            connection.close()
        else:
            pump(channel)

    def opened(channel: Any) -> None:
        channel.confirm_delivery(lambda frame: confirmed(channel, frame))
        state.began = time.monotonic()
        pump(channel)

    durable = pika.BasicProperties(delivery_mode=2)
    connection = SelectConnection(
        pika.URLParameters(bus_url),
        on_open_callback=lambda c: c.channel(on_open_callback=opened),
        on_close_callback=lambda c, _: c.ioloop.stop(),
    )
    connection.ioloop.start()
    return float(state.took)


def wait_for(happened: Callable[[], bool], patience: float = 120) -> None:
    deadline = time.monotonic() + patience
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError("the events did not arrive in time")
        time.sleep(0.02)


def percentile(ordered: list[float], part: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * part // 100)]


def spread(found: list[float]) -> str:
    middle = statistics.median(found)
    return f"{middle:,.0f} events/s ({min(found):,.0f}-{max(found):,.0f}, {len(found)} rounds)"


if __name__ == "__main__":
    main()
