"""A real RabbitMQ for tests: one private node per test process, gone when the process is.

The workspace's ``conftest.py`` has the fixture for every room. Tests that use it carry
``pytest.mark.xdist_group("rabbitmq")``: one worker runs them all, on one node, so each has queues
of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def rabbit_node(pytestconfig: pytest.Config) -> Iterator[Any]:
    """The node (`tools/rabbitmq.py`); the test is left out where there is none, but not in CI."""
    tools = pytestconfig.rootpath / "tools"
    with private_node(tools) as (node, why_not):
        if node is None and os.getenv("CI") == "true":
            pytest.fail(f"RabbitMQ is needed in CI: {why_not}")
        if node is None:
            pytest.skip(f"no RabbitMQ: {why_not}")
        yield node


@contextmanager
def private_node(tools: Path) -> Iterator[tuple[Any, str]]:
    """A node in a temporary folder, or None and the reason.

    Args:
        tools: the folder that holds ``rabbitmq.py``.
    """
    if str(tools) not in sys.path:
        sys.path.append(str(tools))
    rabbitmq = import_module("rabbitmq")
    folder = Path(tempfile.mkdtemp(prefix="jiuye-rabbitmq-"))
    # The keeper's input ends when this process ends, however it ends.
    keeper = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, str(tools / "rabbitmq.py"), "keep", str(folder)],
        stdin=subprocess.PIPE,
        cwd="/",
        start_new_session=True,
    )
    try:
        try:
            node, why_not = rabbitmq.RabbitNode.start(folder), ""
        except rabbitmq.NoRabbitMQ as reason:
            node, why_not = None, str(reason)
        yield node, why_not
        if node is not None:
            node.stop()
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait(20)
