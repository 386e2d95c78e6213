"""The life of one person, from registration to 注销, over both buses (manual 1.4)."""

from contextlib import ExitStack

import pytest
from life import ACTS
from subscriber import OtherSystem
from under_test import Running


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
