"""One process carries, hears and works for many services, answers probes, and ends when told."""

import json
import socket
import threading
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from marshmallow import Schema, fields

from servicekit.clock import SystemClock
from servicekit.db import Database
from servicekit.facts import Facts
from servicekit.inbox import Subscriptions
from servicekit.jobs import Jobs
from servicekit.outbox import announce
from servicekit.worker import run_worker


class Happened(Schema):
    """Something happened."""

    n = fields.Int(required=True, strict=True)


TELLING = Facts("telling")
TELLING.fact("matter.happened", v=1)(Happened)


def app(name, database, bus_url, subscriptions=None):
    return SimpleNamespace(
        service=SimpleNamespace(
            name=name,
            subscriptions=subscriptions or Subscriptions(name),
            jobs=Jobs(),
            facts=TELLING,
        ),
        settings=SimpleNamespace(bus_url=bus_url, event_prefix="cn.gov.test"),
        database=database,
        clock=SystemClock(),
    )


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def ask(port, path):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.mark.parametrize("kind", ["local", pytest.param("amqp", marks=pytest.mark.rabbitmq)])
@pytest.mark.xdist_group("rabbitmq")
def test_an_event_of_one_service_takes_effect_in_another(
    kind, request, database, hearing, running, wait_until, port
):
    url = (
        request.getfixturevalue("bus_url")
        if kind == "local"
        else request.getfixturevalue("rabbit_node").url
    )
    apps = [app("telling", database, url), app("hearing", hearing.database, url)]
    apps[1].service.subscriptions = hearing.subscriptions

    def run(stop):
        run_worker(apps, stop, health=("127.0.0.1", port))

    with running(run):
        wait_until(lambda: hearing.count("subscription"))
        with database.transaction() as db:
            for n in (1, 2):
                event = TELLING.of(Happened, subject="a", now=SystemClock().now(), n=n)
                announce(db, event)
        wait_until(lambda: hearing.heard == [("a", 1), ("a", 2)])
        assert ask(port, "/livez")[0] == 200
        wait_until(lambda: ask(port, "/readyz")[0] == 200)
        checks = json.loads(ask(port, "/readyz")[1])["checks"]
        assert checks == dict.fromkeys(
            ["telling database", "telling bus", "hearing database", "hearing bus"], True
        )
        status, body = ask(port, "/metrics")
        assert status == 200
        heard_by = f'service="{hearing.subscriptions.service}"'
        assert f'jiuye_events_handled_total{{outcome="applied",{heard_by}}}' in body
        assert ask(port, "/etc/passwd")[0] == 404
    assert ask(port, "/livez")[0] == 0
    assert not [t for t in threading.enumerate() if t.name.startswith(("telling", "hearing"))]


def test_a_worker_whose_database_is_away_is_alive_and_not_ready(bus_url, running, wait_until, port):
    away = Database("postgresql://nobody@127.0.0.1:1/none", vault=None, application_name="t")
    with running(
        lambda stop: run_worker([app("telling", away, bus_url)], stop, health=("127.0.0.1", port))
    ):
        wait_until(lambda: ask(port, "/livez")[0] == 200)
        status, body = ask(port, "/readyz")
        assert status == 503
        assert json.loads(body)["checks"]["telling database"] is False
    away.close()
