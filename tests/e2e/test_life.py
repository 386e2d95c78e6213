"""The lives of one person (manual 1.4) and one unit (manuals 001, 003 §8), over both buses."""

from contextlib import ExitStack

import pytest
from life import ACTS
from subscriber import OtherSystem
from under_test import Running
from unit_life import ACTS as UNIT_ACTS
from unit_life import UnitLife


def walk(running: Running) -> None:
    """The whole life, with another system listening where the bus can be reached."""
    with ExitStack() as stack:
        life = running.new_life()
        if running.bus_url is not None:
            other = OtherSystem(running.bus_url, say=lambda _: None)
            life.other_system = stack.enter_context(other)
        for _, act in ACTS:
            act(life)


@pytest.mark.slow
@pytest.mark.xdist_group("e2e-local")
def test_the_life_over_the_local_bus(on_local_bus: Running) -> None:
    walk(on_local_bus)


@pytest.mark.slow
@pytest.mark.rabbitmq
@pytest.mark.xdist_group("e2e-rabbitmq")
def test_the_life_over_rabbitmq(on_rabbitmq: Running) -> None:
    walk(on_rabbitmq)


def walk_unit(running: Running) -> None:
    """The demo unit's life; only a suite of our own tells the demo accounts."""
    if running.logs is None:
        pytest.skip("an installation does not tell its secrets")
    life = UnitLife.of_running_suite(running.logs.parent)
    for _, act in UNIT_ACTS:
        act(life)


@pytest.mark.slow
@pytest.mark.req("EA-02", "EA-03", "EA-05", "EA-06", "ID-41", "PRT-09", "PRT-11", "PRT-02")
@pytest.mark.xdist_group("e2e-local")
def test_the_life_of_a_unit_over_the_local_bus(on_local_bus: Running) -> None:
    walk_unit(on_local_bus)


@pytest.mark.slow
@pytest.mark.rabbitmq
@pytest.mark.req("EA-02", "EA-03", "EA-05", "EA-06", "ID-41")
@pytest.mark.xdist_group("e2e-rabbitmq")
def test_the_life_of_a_unit_over_rabbitmq(on_rabbitmq: Running) -> None:
    walk_unit(on_rabbitmq)
