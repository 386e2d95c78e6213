"""What the registry hears over a bus, and what a worker leaves that is killed in the midst."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from employment_registry.app import SERVICE
from servicekit.bus import connect
from servicekit.bus.envelope import encode
from servicekit.consumer import Consumer
from servicekit.db import new_id
from servicekit.inbox import Envelope
from servicekit.testing import waiting

until = partial(waiting.until, seconds=60.0)
PREFIX = "cn.gov.gdhrss"


@pytest.fixture(params=["local", pytest.param("amqp", marks=pytest.mark.rabbitmq)])
def bus_url(request: pytest.FixtureRequest, postgres: Any) -> Iterator[str]:
    if request.param == "amqp":
        yield request.getfixturevalue("rabbit_node").url
        return
    with postgres.fresh_database() as url:
        yield f"local://{url}"


@pytest.mark.req("ID-05", "EV-01")
@pytest.mark.xdist_group("rabbitmq")
def test_a_merge_is_heard_once_and_in_order_over_the_bus(desk: Any, bus_url: str) -> None:
    lin = desk.person()
    twin = desk.person(number=lin.number)
    lin.files_unemployment()
    bus = connect(bus_url, service="employment-registry")
    consumer = Consumer(
        desk.app.database, bus, SERVICE.subscriptions, prefix=PREFIX, clock=desk.clock
    )
    consumer.bind()

    def told(sequence: int, kind: str, **data: Any) -> Any:
        account = lin.claims["sub"]
        return encode(
            Envelope(
                new_id(),
                f"identity.account.{kind}.v1",
                "identity",
                "fact",
                account,
                desk.clock.now(),
                sequence,
                {"account_id": account, "kind": "person", **data},
            ),
            PREFIX,
        )

    cancelled = told(2, "cancelled", merged_into=twin.claims["sub"])
    speaker = connect(bus_url, service="identity")
    speaker.publish([cancelled, told(1, "registered"), cancelled])  # late, early, and twice
    stop = threading.Event()
    hearing = threading.Thread(target=consumer.run, args=(stop,))
    hearing.start()
    try:
        until(lambda: bool(twin.get("unemployment-registrations").json["items"]))
    finally:
        stop.set()
        hearing.join()
        speaker.close()
        bus.close()
    assert lin.get("unemployment-registrations").json["items"] == []
    assert len(desk.rows("inbox")) == 2


@pytest.mark.req("ER-09")
@pytest.mark.slow
def test_what_a_killed_worker_was_asking_is_resumed_once(checked: Any, outside: Any) -> None:
    lin = checked.person()
    application = lin.files_unemployment()["id"]
    checked.job("ask-population-register")
    outside.slows("social-security", 20)
    with checked.worker("ask-social-security", outside_seconds=30.0) as worker:
        try:
            until(lambda: "asking" in {check.progress for check in checked.rows("outside_check")})
        finally:
            worker.kill()
    outside.heals()
    checked.job("ask-social-security")
    path = f"unemployment-registrations/{application}"
    assert lin.get(path).json["state"] == "checking"  # the dead one's lease still runs
    checked.clock.advance(seconds=61)
    checked.job("ask-social-security")
    checked.job("ask-social-security")
    assert lin.get(path).json["state"] == "submitted"
    moves = [entry["move"] for entry in lin.get(f"{path}/history").json]
    assert moves == ["check", "submit"]
    assert checked.events().count("employment-registry.unemployment.submitted.v1") == 1
