"""The suite as real processes on free ports, once per bus; or what E2E_URL points at."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tools"), str(ROOT / "benchmarks"), str(Path(__file__).parent)]

from under_test import Running, complaints, installation, started  # noqa: E402


def serve(bus: str) -> Iterator[Running]:
    """One suite for the session; its logs are read when it has stopped."""
    if (there := installation()) is not None:
        yield there
        return
    with ExitStack() as stack:
        # Not pytest's folder, which it closes to others: as root PostgreSQL is another account.
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=f"jiuye-{bus}-"))
        Path(folder).chmod(0o711)
        running = started(bus, Path(folder), stack)
        yield running
        running.stop()
        assert complaints(running) == []


@pytest.fixture(scope="session")
def on_local_bus() -> Iterator[Running]:
    """The suite over the local bus."""
    yield from serve("local")


@pytest.fixture(scope="session")
def on_rabbitmq() -> Iterator[Running]:
    """The suite over RabbitMQ."""
    yield from serve("rabbitmq")
