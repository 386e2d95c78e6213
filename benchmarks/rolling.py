"""Every service and the gateway are restarted one after another under 300 requests a second.

    make bench B=rolling

`make run` gives the databases and the bus. Each service runs twice beside it, as a deployment of
two replicas would, with a gateway of its own before them. Each instance is ended by SIGTERM,
started again and waited for; then the gateway is reloaded, replaced by another program on the same
sockets, and reloaded again. The figure is how many requests failed: it is to be 0.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from isolation import free_port, verdict
from running import suite, wait_for
from steady_load import SteadyLoad, request

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tools"))

from choice import SIMULATORS_OFFSET, Choice  # noqa: E402
from room_settings import gateway_environment  # noqa: E402
from suite import Suite  # noqa: E402

RATE = 300
DRAIN = 1.5  # seconds an instance says "not ready" before it stops
CHECK = "health_check uri=/readyz interval=300ms fails=2 passes=1;"


class Twice:
    """Every service of a running suite, twice more, and a gateway before them.

    Args:
        facts: what `run.json` says.
        state: the suite's folder.
        stack: ends what is started.
        only: the services that run twice; the others are the suite's own.
    """

    def __init__(
        self, facts: dict[str, Any], state: Path, stack: ExitStack, only: set[str]
    ) -> None:
        port, simulators = (urlsplit(facts[name]).port for name in ("gateway", "simulators"))
        assert port is not None
        assert simulators is not None
        choice = Choice(state, port=port, base_port=simulators - SIMULATORS_OFFSET)
        self._suite = Suite(choice, say=lambda _: None)
        self._suite.bus_url = facts["bus_url"]
        self._stack = stack
        self.port, admin = free_port(), free_port()
        self.instances: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}
        groups = []
        for name, port in choice.services.items():
            if name not in only:
                groups.append(f"upstream {name} {{ server 127.0.0.1:{port}; }}\n")
                continue
            pair = (free_port(), free_port())
            servers = " ".join(f"server 127.0.0.1:{port};" for port in pair)
            groups.append(f"upstream {name} {{ {servers} {CHECK} }}\n")
            for own in pair:
                self.instances[own] = (name, self._start(name, own))
        self.ready(self.instances)
        upstreams = state / "twice.conf"
        upstreams.write_text("".join(groups), "utf-8")
        environment = gateway_environment(
            self._suite.secrets,
            port=self.port,
            public_url=choice.public_url,
            bus_url=facts["bus_url"],
            services=choice.services,
        )
        environment |= {
            "FRONTDOOR_UPSTREAMS": str(upstreams),
            "FRONTDOOR_ADMIN_LISTEN": f"127.0.0.1:{admin}",
            "FRONTDOOR_WORKERS": "2",
            "FRONTDOOR_CONFIG": str(_without_limits(state)),
        }
        process = self._run(("-m", "frontdoor"), environment)
        wait_for(f"http://127.0.0.1:{self.port}/readyz", process)
        self.gateway = psutil.Process(process.pid)

    def _run(
        self, arguments: tuple[str, ...], environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(end, psutil.Process(process.pid))
        return process

    def _start(self, name: str, port: int) -> subprocess.Popen[bytes]:
        arguments = ("-m", "servicekit.launch", "web", name, "--port", str(port))
        return self._run((*arguments, "--drain", str(DRAIN)), self._suite.environment(name))

    def ready(self, ports: Any) -> None:
        """Wait until each instance says so."""
        for port in ports:
            wait_for(f"http://127.0.0.1:{port}/readyz", self.instances[port][1])

    def roll(self) -> int:
        """Restart every instance, the second of a pair when the first is up; how many."""
        for port, (name, process) in list(self.instances.items()):
            end(psutil.Process(process.pid))
            process.wait()
            self.instances[port] = (name, self._start(name, port))
            self.ready([port])
        return len(self.instances)

    def reload_gateway(self) -> None:
        """New workers on the same sockets."""
        old = {child.pid for child in self.gateway.children()}
        self.gateway.send_signal(signal.SIGHUP)
        while old & {child.pid for child in self.gateway.children()}:
            time.sleep(0.05)

    def replace_gateway(self) -> None:
        """Another program on the same sockets; then the former goes."""
        old, workers = self.gateway, {child.pid for child in self.gateway.children()}
        old.send_signal(signal.SIGUSR2)
        while not (new := {child.pid for child in old.children()} - workers):
            time.sleep(0.05)
        self.gateway = psutil.Process(new.pop())
        self._stack.callback(end, self.gateway)
        while len(self.gateway.children()) < len(workers):
            time.sleep(0.05)
        time.sleep(1)
        end(old)


def end(process: psutil.Process) -> None:
    """SIGTERM, and wait; safe when it has ended."""
    try:
        process.terminate()
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.05)
    except psutil.NoSuchProcess:
        pass


def _without_limits(state: Path) -> Path:
    """The suite's own configuration; one machine is one address, so its limits go."""
    text = (ROOT / "gateway" / "frontdoor" / "frontdoor.conf").read_text("utf-8")
    limits = ("limit_req zone=", "client_max_connections")
    lines = [line for line in text.splitlines() if not line.strip().startswith(limits)]
    path = state / "rolling.conf"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    (state / "upstreams.conf").write_text("", "utf-8")
    return path


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--services", help="only these run twice, a comma between; all of them")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rolling-"))
        state = Path(folder)
        state.chmod(0o711)
        facts = stack.enter_context(suite(state))
        every = ",".join(name for name in facts["rooms"] if name in Choice().services)
        twice = Twice(facts, state, stack, set((options.services or every).split(",")))
        names = dict.fromkeys(name for name, _ in twice.instances.values())
        targets = [f"/api/{name}/v1/about" for name in names if name != "identity"]
        targets += ["/api/identity/v1/agreements", "/openapi.json", "/livez"]
        load = SteadyLoad(twice.port, [request("GET", target) for target in targets], options.rate)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_until_complete, args=(load.run(),))
        thread.start()
        started = time.monotonic()
        try:
            count, steps = twice.roll(), [("rolled", time.monotonic() - started)]
            for step in (twice.reload_gateway, twice.replace_gateway, twice.reload_gateway):
                step()
                steps.append((step.__name__, time.monotonic() - started))
        finally:
            loop.call_soon_threadsafe(load.stop)
            thread.join()
        took, results = time.monotonic() - started, load.results
    print(
        f"{count} instances of {len(names)} services restarted, the gateway 3 times, {took:.0f} s"
    )
    print(f"{results.count} requests ({results.count / took:.0f}/s): {dict(results.statuses)}")
    print(
        f"p50 {results.percentile(0.5) * 1e3:.1f} ms, p99 {results.percentile(0.99) * 1e3:.1f} ms"
    )
    print("steps:", ", ".join(f"{name} {at:.0f} s" for name, at in steps))
    good = verdict(not results.failures)
    print(f"failed: {len(results.failures)} {results.failures[:5]}, {good}: goal 0")


if __name__ == "__main__":
    main()
