"""Tests that share something costly run on one worker; a group that is not kept is told nowhere."""

import pytest


@pytest.mark.xdist_group("kept-together")
def test_a_group_reaches_the_scheduler(request: pytest.FixtureRequest) -> None:
    """pytest-xdist writes it behind the test's name; without it suites start once per worker."""
    if not hasattr(request.config, "workerinput"):
        pytest.skip("one process has no groups")
    assert request.node.nodeid.endswith("@kept-together")
