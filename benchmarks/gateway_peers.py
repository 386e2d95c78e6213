"""The gateway's peers in its benchmark: nginx, HAProxy, an aiohttp proxy, Flask with requests.

nginx and HAProxy are this machine's or the distribution's, unpacked below var/ without root. The
two proxies in Python are what one writes in twenty lines: `gateway_peers.py KIND PORT UPSTREAM`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tools"))

from packages import NotHere, unpack  # noqa: E402 - tools/ is no package

NGINX = """worker_processes 1; daemon off; pid {folder}/{name}.pid; error_log stderr crit;
events {{ worker_connections 12000; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    keepalive_requests 100000000;
    upstream up {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
    server {{ listen 127.0.0.1:{port}; location / {{ {inside} }} }} }}
"""
PASS_ON = "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_pass http://up;"

# The same duty as the gateway's: token with issuer, audience and time, a limit, an id, a log line.
HAPROXY = """global
    nbthread 1
    log stdout format raw local0
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
    http-reuse always
    log global
frontend front
    bind 127.0.0.1:{port}
    unique-id-format %[uuid()]
    unique-id-header X-Request-Id
    log-format '{{"time":"%t","id":"%ID","address":"%ci","method":"%HM","path":"%HPO",{more}}}'
    stick-table type string len 64 size 100k expire 60s store http_req_rate(10s)
    http-request set-var(txn.token) http_auth_bearer
    http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
    http-request set-var(txn.iss) var(txn.token),jwt_payload_query('$.iss')
    http-request set-var(txn.aud) var(txn.token),jwt_payload_query('$.aud')
    http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')
    http-request set-var(txn.sub) var(txn.token),jwt_payload_query('$.sub')
    http-request set-var(txn.now) date()
    http-request deny deny_status 401 unless {{ var(txn.alg) -m str ES256 }}
    http-request deny deny_status 401 unless {{ var(txn.iss) -m str {issuer} }}
    http-request deny deny_status 401 unless {{ var(txn.exp),sub(txn.now) -m int gt 0 }}
    http-request set-var(txn.good) var(txn.token),jwt_verify(txn.alg,"{key}")
    http-request deny deny_status 401 unless {{ var(txn.good) -m int 1 }}
    http-request track-sc0 var(txn.sub)
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 100000000 }}
    default_backend up
backend up
    server one 127.0.0.1:{upstream}
"""
HAPROXY_LOG = '"status":%ST,"bytes":%B,"ms":%Ta'


def find_nginx() -> list[str] | None:
    """How nginx is called, or None."""
    if found := shutil.which("nginx") or shutil.which("/usr/sbin/nginx"):
        return [found]
    try:
        return [str(unpack("nginx-light", ROOT / "var" / "nginx") / "usr/sbin/nginx")]
    except NotHere as reason:
        print(reason, file=sys.stderr)
        return None


def find_haproxy() -> tuple[str, dict[str, str]] | None:
    """HAProxy's program and environment, or None."""
    if found := shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy"):
        return found, {}
    try:
        root = unpack("haproxy", ROOT / "var" / "haproxy")
    except NotHere as reason:
        print(reason, file=sys.stderr)
        return None
    libraries = sorted({str(path.parent) for path in root.rglob("*.so*")})
    return str(root / "usr/sbin/haproxy"), {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}


def be_aiohttp(port: int, upstream: int) -> None:
    """aiohttp's server and client, streaming."""
    import uvloop
    from aiohttp import ClientSession, TCPConnector, web

    dropped = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}

    async def serve() -> None:
        connector = TCPConnector(limit=64, keepalive_timeout=600)
        async with ClientSession(connector=connector, auto_decompress=False) as session:

            async def pass_on(request: web.BaseRequest) -> web.StreamResponse:
                fields = {k: v for k, v in request.headers.items() if k.lower() not in dropped}
                url = f"http://127.0.0.1:{upstream}{request.path_qs}"
                body = request.content if request.can_read_body else None
                async with session.request(
                    request.method, url, headers=fields, data=body, allow_redirects=False
                ) as got:
                    answer = web.StreamResponse(status=got.status)
                    for name, value in got.headers.items():
                        if name.lower() not in dropped - {"content-length"}:
                            answer.headers.add(name, value)
                    await answer.prepare(request)
                    async for piece in got.content.iter_any():
                        await answer.write(piece)
                    await answer.write_eof()
                    return answer

            runner = web.ServerRunner(web.Server(pass_on, access_log=None))
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            await asyncio.Event().wait()

    uvloop.run(serve())


def be_flask(port: int, upstream: int) -> None:
    """Flask and requests under gunicorn, as the services themselves are run."""
    from flask import Flask, Response, request
    from gunicorn.app.base import BaseApplication
    from requests import Session

    app, session = Flask(__name__), Session()

    @app.route("/", defaults={"path": ""})
    @app.route("/<path:path>")
    def pass_on(path: str) -> Response:
        fields = {
            k: v for k, v in request.headers.items() if k.lower() not in ("host", "connection")
        }
        url = f"http://127.0.0.1:{upstream}{request.full_path}"
        got = session.request(request.method, url, headers=fields, data=request.get_data())
        return Response(got.content, got.status_code, content_type=got.headers["Content-Type"])

    class Server(BaseApplication):
        def load_config(self) -> None:
            values = {"bind": f"127.0.0.1:{port}", "worker_class": "gthread", "threads": 4}
            values |= {"workers": 1, "loglevel": "error", "control_socket_disable": True}
            values |= {"keepalive": 600, "worker_connections": 2000}
            for name, value in values.items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            return app

    Server().run()


class Upstream(asyncio.Protocol):
    """Answers everything with the same JSON, where no nginx can."""

    body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        answer = head % len(self.body) + self.body
        self.transport.write(answer * data.count(b"\r\n\r\n"))


class Sink(asyncio.Protocol):
    """Takes one body after another and says so at its end."""

    left = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.left < 0:
            head, _, data = data.partition(b"\r\n\r\n")
            self.left = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        self.left -= len(data)
        if self.left == 0:
            self.left = -1
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def be_sink(port: int, _: int) -> None:
    """An upstream for bodies."""
    _listen(Sink, port)


def _listen(protocol: type[asyncio.Protocol], port: int) -> None:
    import uvloop

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(serve())


def be_upstream(port: int, size: int) -> None:
    """An upstream of our own."""
    Upstream.body = b" " * size
    _listen(Upstream, port)


if __name__ == "__main__":
    KINDS = {"aiohttp": be_aiohttp, "flask": be_flask, "upstream": be_upstream, "sink": be_sink}
    KINDS[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))
