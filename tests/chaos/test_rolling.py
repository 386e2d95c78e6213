"""Services and the gateway are restarted one after another under load: not one request fails."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from servicekit.testing.waiting import until

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

from steady_load import SteadyLoad, request  # noqa: E402

RATE = int(os.getenv("CHAOS_RATE", "60"))  # requests a second
PATIENCE = 30.0
SERVICE = Path(__file__).with_name("rolling_service.py")
CONFIGURATION = """http {{
    upstream service {{
        server 127.0.0.1:{0};
        server 127.0.0.1:{1};
        health_check uri=/readyz interval=200ms fails=1 passes=1;
    }}
    server {{
        listen 127.0.0.1:1;
        location = /livez {{ health live; }}
        location / {{ proxy_pass http://service; }}
    }}
}}
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
            return True
    except OSError:
        return False


class Stage:
    """Two instances of a service, the gateway before them, and a load."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.stack = stack
        self.port, self.admin = free_port(), free_port()
        self.ports = [free_port(), free_port()]
        self.instances = [self.serve(port) for port in self.ports]
        config = folder / "gateway.conf"
        config.write_text(CONFIGURATION.format(*self.ports), "utf-8")
        environment = os.environ | {
            "FRONTDOOR_CONFIG": str(config),
            "FRONTDOOR_CLIENT_SECRET": "a-secret-only-tests-know-0123456789",
            "FRONTDOOR_COOKIE_KEY": b64encode(bytes(range(32))).decode(),
            "FRONTDOOR_ADMIN_LISTEN": f"127.0.0.1:{self.admin}",
            "FRONTDOOR_WORKERS": "2",
            "FRONTDOOR_IDENTITY_URL": "http://127.0.0.1:9",
        }
        command = [sys.executable, "-m", "frontdoor", "--port", str(self.port)]
        log = stack.enter_context((folder / "gateway.log").open("wb"))
        gateway = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.gateway = psutil.Process(gateway.pid)
        stack.callback(self.end, gateway)
        until(lambda: answers(self.port, "/livez"))

    def serve(self, port: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, str(SERVICE), str(port), "1"])
        self.stack.callback(self.end, process)
        until(lambda: answers(port, "/readyz"))
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE)

    def roll(self) -> None:
        """Restart both instances, each when the other is up."""
        for number, port in enumerate(self.ports):
            self.end(self.instances[number])
            self.instances[number] = self.serve(port)

    def reload(self) -> None:
        """New workers on the same sockets."""
        old = {child.pid for child in self.gateway.children()}
        self.gateway.send_signal(signal.SIGHUP)
        until(lambda: not old & {child.pid for child in self.gateway.children()})

    def take_over(self) -> None:
        """Another program on the same sockets; then the former goes."""
        old, workers = self.gateway, {child.pid for child in self.gateway.children()}
        old.send_signal(signal.SIGUSR2)
        until(lambda: {child.pid for child in old.children()} - workers)
        (pid,) = {child.pid for child in old.children()} - workers
        new = psutil.Process(pid)
        until(lambda: len(new.children()) == 2)
        old.terminate()
        self.stack.callback(self.end_other, new)
        until(lambda: not old.is_running() or old.status() == psutil.STATUS_ZOMBIE)
        self.gateway = new

    def end_other(self, process: psutil.Process) -> None:
        process.terminate()
        until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.req("GW-01", "GW-03", "OP-01")
def test_a_rolling_restart_of_a_service_and_of_the_gateway_fails_no_request(tmp_path) -> None:
    requests = [
        request("GET", "/x"),
        request("POST", "/y", "Content-Length: 3", "Idempotency-Key: k") + b"abc",
        request("DELETE", "/z"),
    ]
    with ExitStack() as stack:
        stage = Stage(tmp_path, stack)
        load = SteadyLoad(stage.port, requests, RATE)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_until_complete, args=(load.run(),))
        thread.start()
        try:
            stage.roll()
            stage.reload()
            stage.take_over()
            stage.reload()
        finally:
            loop.call_soon_threadsafe(load.stop)
            thread.join()
            loop.close()
        assert load.results.failures == []
        assert set(load.results.statuses) == {"200"}
        assert load.results.count > 3 * RATE
