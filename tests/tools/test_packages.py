"""The distribution's packages are fetched, also while somebody else is half way installing."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import packages
import pytest

from servicekit.testing.waiting import until

APT_GET = """#!/bin/sh
case "$*" in
*" install "*)
    if [ -e {half_way} ]; then
        echo asked >> {tries}
        echo 'E: Unmet dependencies.' >&2
        exit 100
    fi
    echo "'mirror/thing_1.deb' thing_1.deb 1" ;;
esac
"""


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """Programs that plan nothing as long as a file is there; they fetch an empty package."""
    programs = tmp_path / "bin"
    programs.mkdir()
    half_way, tries = tmp_path / "half-way", tmp_path / "tries"
    half_way.touch()
    (programs / "apt-get").write_text(APT_GET.format(half_way=half_way, tries=tries))
    (programs / "dpkg-deb").write_text("#!/bin/sh\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return half_way, tries


@contextmanager
def this_process_called(name):
    """The kernel shows it to everybody under this name."""
    shown = Path("/proc/self/comm")
    before = shown.read_text()
    shown.write_text(name)
    try:
        yield
    finally:
        shown.write_text(before)


def test_another_installation_is_waited_for(distribution, tmp_path):
    half_way, tries = distribution
    with ThreadPoolExecutor(1) as pool, this_process_called("dpkg"):
        asking = pool.submit(packages.unpack, "thing", tmp_path / "unpacked")
        until(tries.exists)
        half_way.unlink()
        assert asking.result(30).is_dir()


def test_where_nobody_installs_it_is_told_at_once(distribution, tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "_somebody_installs", lambda: False)
    with pytest.raises(packages.NotHere, match="Unmet dependencies"):
        packages.unpack("thing", tmp_path / "unpacked")
    assert distribution[1].read_text() == "asked\n"
