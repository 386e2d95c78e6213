"""Where there is no RabbitMQ and none can be fetched, the tools say so in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("rabbitmq.py", "rabbitmq_packages.py", "packages.py")
INSTALLED = Path("/usr/lib/rabbitmq").exists() or shutil.which("rabbitmq-server") is not None

pytestmark = pytest.mark.skipif(INSTALLED, reason="this machine has a RabbitMQ of its own")

TESTS = """
def test_one(rabbit_node): ...
def test_two(rabbit_node): ...
"""


@pytest.fixture
def bare(tmp_path):
    """A checkout on a machine without RabbitMQ and without apt-get."""
    (tmp_path / "tools").mkdir()
    for name in TOOLS:
        shutil.copy(ROOT / "tools" / name, tmp_path / "tools")
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "test_bare.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def run(*arguments, ci=""):
        environment = {**os.environ, "PATH": str(tmp_path / "nothing"), "CI": ci}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_command_tells_what_is_missing(bare):
    done = bare("tools/rabbitmq.py", "start")
    assert done.returncode == 1
    assert done.stderr.strip() == ("no rabbitmq-server on this machine, and no apt-get to fetch it")


def test_nothing_runs_is_told_too(bare):
    assert bare("tools/rabbitmq.py", "url").returncode == 1
    assert bare("tools/rabbitmq.py", "stop").returncode == 0
    assert bare("tools/rabbitmq.py").returncode == 1


def test_tests_are_left_out_in_one_line_with_their_number_and_the_reason(bare):
    done = bare("-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert (
        "2 tests left out: no RabbitMQ: no rabbitmq-server on this machine,"
        " and no apt-get to fetch it"
    ) in done.stdout.splitlines()


def test_in_ci_that_is_a_failure(bare):
    done = bare("-m", "pytest", "-q", "-p", "no:cacheprovider", ci="true")
    assert done.returncode == 1
    assert "RabbitMQ is needed in CI" in done.stdout
