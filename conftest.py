"""The one RabbitMQ node of a run, how properties are tried, and what the run says at its end."""

import gc
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from servicekit.testing.rabbitmq import rabbit_node  # noqa: F401 - a fixture of all rooms

# How long an example takes is the machine's matter: speed is measured in benchmarks/ alone. And
# an example brings its own person or part, so that one database per test is enough.
settings.register_profile(
    "jiuye",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("jiuye")

# What is imported and collected stays to the end. The garbage collector walked it again and again,
# a seventh of the whole run, and found nothing.
GARBAGE = (50_000, 10, 10)

NO_RABBITMQ = "no RabbitMQ: "  # as servicekit.testing.rabbitmq begins its reason


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are collected, and afterwards theirs alone."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the tests that need a RabbitMQ where there is none."""
    reasons = [
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    left_out = [reason for reason in reasons if reason.startswith(NO_RABBITMQ)]
    if left_out:
        terminalreporter.write_line(f"{len(left_out)} tests left out: {left_out[0]}", yellow=True)
