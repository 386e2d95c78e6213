"""The access log where it cannot be written: lines are lost, requests are not."""

from __future__ import annotations

import pytest

from frontdoor.filters.access_log import MOST_LINES
from frontdoor.testing.running import Running
from frontdoor.testing.service import Service

PASS = "location / { proxy_pass http://service; }"


@pytest.mark.req("GW-04")
@pytest.mark.parametrize("path", ["/dev/full", "/nowhere/access.log"])
def test_a_log_that_cannot_be_written_costs_no_request(start, capfd, path) -> None:
    gateway: Running = start(f"access_log {path} json; " + PASS, {"service": Service()})
    for _ in range(MOST_LINES + 1):
        assert gateway.ask("/").status == 200
    gateway.sweep()
    assert gateway.ask("/").status == 200
    gateway.sweep()
    assert capfd.readouterr().out.count("access log not written") == 1


def test_after_the_log_was_moved_lines_go_where_they_can(start, tmp_path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    path = folder / "access.log"
    gateway: Running = start(f"access_log {path} json; " + PASS, {"service": Service()})
    (file,) = gateway.gateway.access_log.files.values()

    def ask_and_write() -> None:
        gateway.ask("/")
        gateway.sweep()

    ask_and_write()
    moved = path.rename(tmp_path / "access.log.1")
    folder.rmdir()
    file.reopen()  # cannot: the former file is written on
    ask_and_write()
    assert moved.read_text("utf-8").count("\n") == 2
    folder.mkdir()
    file.reopen()
    ask_and_write()
    assert path.read_text("utf-8").count("\n") == 1
    assert moved.read_text("utf-8").count("\n") == 2
