"""The same file makes nginx and the gateway choose the same location."""

from __future__ import annotations

import random
import socket
from http.client import HTTPConnection
from pathlib import Path

import pytest

from frontdoor import configuration, paths
from frontdoor.routing import Hosts, Paths
from frontdoor.sites import Configuration

ROOT = Path(__file__).resolve().parents[2]
SEGMENTS = ("a", "b", "ab", "A", "a.b", "%61", "c%20d", "%E4%BA%BA", "a;x", "a%3Bx")
PATTERNS = (r"^/a", r"b$", r"/a/.*b", r"\.b$", r"^/(a|b)/", r"c d", r"[A-Z]", r"^/ab?/", r";x")
HOSTS = (
    "a.example", "x.b.example", "y.x.b.example", "b.example", "www.c", "www.c.d", "z",
    "A.EXAMPLE:1", "a.example.", "z1", "z.x", "wwwx",
)  # fmt: skip


def file(random_: random.Random, port: int) -> str:
    """A random configuration of nginx's own subset."""
    servers = []
    names = ["a.example", "*.b.example", "*.x.b.example", "www.*", "www.c", r"~^z\d?$", "~^www"]
    for number in range(3):
        own = " ".join(names[number::3])
        locations, used = [], set()
        for place in range(random_.randint(1, 9)):
            kind = random_.choice(("", "", "=", "^~", "~", "~*"))
            if "~" in kind and kind != "^~":
                path = random_.choice(PATTERNS)
            else:
                depth = random_.randint(0, 3)
                path = "/" + "/".join(random_.choice(("a", "b", "ab", "A")) for _ in range(depth))
                path += random_.choice(("", "/")) if depth else ""
            if (kind.strip("^~"), path) in used and not kind.startswith("~"):
                continue
            used.add((kind.strip("^~"), path))
            locations.append(f'location {kind} "{path}" {{ return 200 "{number}.{place}"; }}')
        servers.append(
            f"server {{ listen 127.0.0.1:{port}; server_name {own};\n"
            + "\n".join(locations)
            + "\n}"
        )
    return "events { worker_connections 64; }\nhttp {\n" + "\n".join(servers) + "\n}\n"


def found_by_us(found: Configuration, host: str, target: str) -> str:
    """The text our location returns; 404 where there is none."""
    sites = [
        (server, Paths([(loc, loc.returns.text) for loc in server.locations], "404"))
        for server in found.servers
    ]
    hosts = Hosts(sites, found.addresses[0])
    return hosts.find(host.encode()).find(paths.decode(target.encode()))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.mark.slow
@pytest.mark.req("GW-01")
@pytest.mark.parametrize("seed", range(6))
def test_random_files_lead_nginx_and_us_to_the_same_place(tmp_path, nginx, seed) -> None:
    random_, port = random.Random(seed), free_port()
    text = file(random_, port)
    (tmp_path / "ours.conf").write_text(text, "utf-8")
    with nginx(text, port):
        found = configuration.load(tmp_path / "ours.conf")
        client = HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(250):
            depth = random_.randint(0, 4)
            target = "/" + "/".join(random_.choice(SEGMENTS) for _ in range(depth))
            target = (target + random_.choice(("", "/" if depth else "", "?q=/a"))).replace(
                "人", "%E4%BA%BA"
            )
            host = random_.choice(HOSTS)
            client.putrequest("GET", target, skip_host=True)
            client.putheader("Host", host)
            client.endheaders()
            got = client.getresponse()
            body = got.read().decode()
            theirs = "404" if got.status == 404 else body
            assert found_by_us(found, host, target) == theirs, (host, target, text)
        client.close()


@pytest.mark.req("GW-01")
def test_the_same_file_passes_requests_on_in_both(tmp_path, start, nginx) -> None:
    from frontdoor.testing.service import Service, answer

    def named(name: str) -> Service:
        async def say(request, writer) -> None:
            writer.write(answer(f"{name} {request.target}".encode()))

        return Service(answering=say)

    locations = """
        location /one/ { proxy_pass http://one; }
        location = /one/two { proxy_pass http://two; }
        location /two/ { proxy_pass http://two; }
        location ~* \\.Txt$ { proxy_pass http://two; }
        location ^~ /one/keep/ { proxy_pass http://one; }
    """
    gateway = start(locations, {"one": named("one"), "two": named("two")})
    port = free_port()
    text = (tmp_path / "gateway.conf").read_text("utf-8").replace(str(gateway.port), str(port))
    with nginx("events { }\n" + text, port):
        for target in (
            "/one/", "/one/two", "/one/two/", "/one/a.TXT", "/one/keep/a.txt", "/two/x?y=%2F",
            "/one/%20", "/one", "/two?x=1", "/three", "/", "/one/t%77o",
        ):  # fmt: skip
            client = HTTPConnection("127.0.0.1", port, timeout=10)
            client.request("GET", target)
            got = client.getresponse()
            theirs = (got.status, got.read() if got.status == 200 else b"")
            ours = gateway.ask(target)
            assert (ours.status, ours.body if ours.status == 200 else b"") == theirs, target
            if ours.status == 301:
                where = got.getheader("Location").replace(f"http://127.0.0.1:{port}", "")
                assert ours.one("location") == where
            client.close()
