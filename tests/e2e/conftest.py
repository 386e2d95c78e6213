"""The suite as real processes on free ports, once per bus; or what E2E_URL points at."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "benchmarks"), str(Path(__file__).parent)]

from under_test import Running, complaints, installation, started  # noqa: E402


def serve(bus: str, factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One suite for the session; its logs are read when it has stopped."""
    if (there := installation()) is not None:
        yield there
        return
    with ExitStack() as stack:
        running = started(bus, factory.mktemp(f"suite-{bus}"), stack)
        yield running
    assert complaints(running) == []


@pytest.fixture(scope="session")
def on_local_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The suite over the local bus."""
    yield from serve("local", tmp_path_factory)


@pytest.fixture(scope="session")
def on_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The suite over RabbitMQ."""
    yield from serve("rabbitmq", tmp_path_factory)
