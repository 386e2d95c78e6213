"""The suite as real processes on free ports, once per bus; or what E2E_URL points at."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path += [str(ROOT / "tools"), str(ROOT / "benchmarks"), str(HERE)]

from under_test import Running, complaints, installation, started  # noqa: E402

SUITES: dict[str, tuple[Running, ExitStack]] = {}  # by bus, those that run now


@contextmanager
def serve(bus: str) -> Iterator[Running]:
    """One suite; its logs are read when it has stopped."""
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


def on(bus: str) -> Running:
    """The suite over this bus: the one that runs, or a new one."""
    if bus not in SUITES:
        with ExitStack() as stack:
            running = stack.enter_context(serve(bus))
            SUITES[bus] = running, stack.pop_all()
    return SUITES[bus][0]


@pytest.fixture
def on_local_bus() -> Running:
    """The suite over the local bus."""
    return on("local")


@pytest.fixture
def on_rabbitmq() -> Running:
    """The suite over RabbitMQ."""
    return on("rabbitmq")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop the suites after the last of these tests: left idle they take from all that follow."""
    yield
    if nextitem is None or HERE not in nextitem.path.parents:
        while SUITES:
            _, (_, stack) = SUITES.popitem()
            stack.close()
