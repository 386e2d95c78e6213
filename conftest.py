"""The one RabbitMQ node of a run, and what the run says at its end: what it left out and why."""

import pytest

from servicekit.testing.rabbitmq import rabbit_node  # noqa: F401 - a fixture of all rooms

NO_RABBITMQ = "no RabbitMQ: "  # as servicekit.testing.rabbitmq begins its reason


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
