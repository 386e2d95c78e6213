"""Gateways for the tests: plain ones in front of one service, and ones that check tokens."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
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
    location = /sso/back-channel-logout { browser_session back-channel-logout; }
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


ROOT = Path(__file__).resolve().parents[2]


@cache
def program() -> str:
    """This machine's nginx, else the distribution's, unpacked without root."""
    if found := shutil.which("nginx") or shutil.which("/usr/sbin/nginx"):
        return found
    tools = ROOT / "tools"
    if str(tools) not in sys.path:
        sys.path.append(str(tools))
    packages = import_module("packages")
    try:
        return str(packages.unpack("nginx-light", ROOT / "var" / "nginx") / "usr/sbin/nginx")
    except packages.NotHere as reason:
        leave_out = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        leave_out(f"no nginx: {reason}")


@contextmanager
def run_nginx(folder: Path, text: str, port: int) -> Iterator[None]:
    """A real nginx on the file."""
    path = folder / "nginx.conf"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    path.write_text(text.replace("http {", f"http {{ access_log off; {temporary}", 1), "utf-8")
    outside = f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;"
    command = [
        program(),
        "-p",
        str(folder),
        "-e",
        f"{folder}/error.log",
        "-c",
        str(path),
        "-g",
        outside,
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < end
        yield
    finally:
        process.terminate()
        process.wait(10)
        process.stderr.close()


@pytest.fixture
def nginx_program() -> str:
    """A real nginx."""
    return program()


@pytest.fixture
def nginx(tmp_path: Path) -> Callable[[str, int], AbstractContextManager[None]]:
    """A real nginx on a file's text, at the port the text names."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    return partial(run_nginx, folder)
