"""Gateways for the tests: plain ones in front of one service, and ones that check tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from frontdoor.testing.provider import Provider
from frontdoor.testing.running import Running
from frontdoor.testing.service import Service

Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a gateway: the locations, then the services by name."""
    with ExitStack() as stack:

        def begin(locations: str, services: dict[str, Service], **options: Any) -> Running:
            return stack.enter_context(Running(tmp_path, locations, services, **options))

        yield begin


@dataclass
class Suite:
    """A gateway, one service that needs a token, and identity."""

    gateway: Running
    service: Service
    provider: Provider


SUITE = """
    limit_req_status 429;
    location = /sso/login { browser_session login; }
    location = /sso/callback { browser_session callback; }
    location = /sso/logout { browser_session logout; }
    location = /sso/session { browser_session show; }
    location /identity/ { proxy_pass http://identity; }
    location /api/ { auth_jwt jiuye; proxy_pass http://service; }
    location /maybe/ { auth_jwt jiuye; auth_jwt_optional on; proxy_pass http://service; }
    location /open/ { proxy_pass http://service; }
"""


@pytest.fixture
def suite(start: Start) -> Suite:
    """The usual things a token is about."""
    provider, service = Provider(), Service()
    identity = provider.service()
    gateway = start(SUITE, {"identity": identity, "service": service}, identity=identity)
    provider.issuer = f"{gateway.public_url}/identity"
    provider.wall = gateway.clock.wall
    return Suite(gateway, service, provider)
