"""One file with every directive that is nginx's: nginx takes it too, and both answer alike."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest

from frontdoor import configuration
from frontdoor.directive_table import TABLE
from frontdoor.testing.certificates import make_certificate
from frontdoor.testing.running import Running
from frontdoor.testing.service import Received, Service, answer

TIME = 1_700_000_000

# Everything at once, for --test; CERTIFICATE and FOLDER stand for files that are there.
WHOLE = """
user root; worker_processes 1; pid FOLDER/pid; error_log FOLDER/error.log warn;
events { worker_connections 64; }
http {
    include inner.conf;
    sendfile on; tcp_nopush on; tcp_nodelay on; server_tokens off; types_hash_max_size 2048;
    ssl_protocols TLSv1.2 TLSv1.3;
    resolver 127.0.0.1:5353 valid=10s;
    client_header_timeout 5s; client_body_timeout 10s; send_timeout 10s; keepalive_timeout 60s;
    large_client_header_buffers 4 8k; client_body_buffer_size 64k;
    client_body_temp_path FOLDER;
    set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For; real_ip_recursive on;
    limit_req_zone $binary_remote_addr zone=requests:1m rate=5r/s;
    limit_conn_zone $binary_remote_addr zone=hands:1m;
    proxy_cache_path FOLDER/cache keys_zone=public:1m inactive=10m;
    default_type text/plain; gzip on; gzip_types application/json; gzip_min_length 1k;
    access_log FOLDER/access.log combined;
    upstream group {
        zone group 64k; least_conn; keepalive 8; keepalive_timeout 30s;
        server 127.0.0.1:9 weight=2 max_fails=3 fail_timeout=5s max_conns=10;
        server 127.0.0.1:10 backup; server 127.0.0.1:11 down;
    }
    server {
        listen 127.0.0.1:8443 ssl default_server; server_name one.example *.one.example ~^x\\d;
        ssl_certificate CERTIFICATE.pem; ssl_certificate_key CERTIFICATE.key;
        proxy_connect_timeout 2s; proxy_send_timeout 10s; proxy_read_timeout 30s;
        proxy_buffering on; proxy_buffers 8 32k; proxy_buffer_size 64k; proxy_request_buffering on;
        proxy_next_upstream error timeout http_503; proxy_next_upstream_tries 2;
        client_max_body_size 2m;
        location / {
            allow 10.0.0.0/8; deny all; limit_req zone=requests burst=5 nodelay;
            limit_req_status 429; limit_conn hands 4; limit_conn_status 429;
            proxy_http_version 1.1; proxy_set_header Connection ""; proxy_cache public;
            proxy_cache_valid 200 1m; add_header X-A 1 always; proxy_pass http://group/base/;
        }
        location /files/ { alias FOLDER/; index index.html; gzip_static on; expires 1h; }
        location ^~ /tried/ { root FOLDER; try_files $uri $uri/ =404; }
        location = /gone { return 301 /files/; }
    }
}
"""

LOCATIONS = """
    client_max_body_size 10; default_type application/x-own;
    limit_req_status 429;
    location = /text { return 200 "a text"; }
    location = /nothing { return 204; }
    location = /moved { return 301 /text; }
    location = /elsewhere { return 302 http://other.example/x?y=1; }
    location = /forbidden { return 403; }
    location /open/ { allow 10.1.0.0/16; allow 127.0.0.1; deny all; proxy_pass http://service; }
    location /inside/ { allow 10.1.1.1; deny all; proxy_pass http://service; }
    location /shut/ { deny 10.0.0.0/8; deny all; proxy_pass http://service; }
    location /marked/ { add_header X-Good 1; add_header X-Always 2 always;
        proxy_pass http://service; }
    location /once/ { limit_req zone=requests; proxy_pass http://service; }
    location /few/ { limit_req zone=others burst=2 nodelay; proxy_pass http://service; }
    location /packed/ { gzip on; gzip_types text/plain; gzip_min_length 100;
        proxy_pass http://service; }
    location /files/ { alias FILES/; expires 1h; }
    location /never/ { alias FILES/; expires epoch; default_type image/y; }
    location /kept/ { proxy_cache public; proxy_cache_valid 200 1m; proxy_pass http://service; }
    location /weighed/ { proxy_pass http://weighed; }
    location /failing/ { proxy_next_upstream http_503; proxy_pass http://failing; }
    location /dead/ { proxy_pass http://dead; }
"""
OUTSIDE = """
    large_client_header_buffers 2 1k;
    set_real_ip_from 127.0.0.1; set_real_ip_from 10.9.9.9;
    real_ip_header X-Forwarded-For; real_ip_recursive on;
    limit_req_zone $binary_remote_addr zone=requests:64k rate=1r/m;
    limit_req_zone $binary_remote_addr zone=others:64k rate=1r/m;
    proxy_cache_path CACHE keys_zone=public:1m inactive=10m;
"""
FROM = "X-Forwarded-For"
# method, target, fields, body; in this order, some of them twice.
ASKED: tuple[tuple[str, str, dict[str, str], bytes | None], ...] = (
    ("GET", "/text", {}, None), ("GET", "/nothing", {}, None), ("GET", "/moved", {}, None),
    ("GET", "/elsewhere", {}, None), ("GET", "/forbidden", {}, None), ("HEAD", "/text", {}, None),
    ("GET", "/open/x", {}, None), ("GET", "/open/x", {FROM: "10.1.2.3"}, None),
    ("GET", "/open/x", {FROM: "10.2.2.3"}, None), ("GET", "/shut/x", {}, None),
    ("GET", "/inside/x", {}, None), ("GET", "/inside/x", {FROM: "10.1.1.1"}, None),
    ("GET", "/inside/x", {FROM: "1.2.3.4, 10.1.1.1"}, None),
    ("GET", "/inside/x", {FROM: "10.1.1.1, 10.9.9.9"}, None),
    ("GET", "/inside/x", {FROM: "10.1.1.1, 1.2.3.4"}, None),
    ("GET", "/marked/x", {}, None), ("GET", "/marked/404", {}, None),
    ("POST", "/marked/x", {}, b"0123456789"), ("POST", "/marked/x", {}, b"0123456789x"),
    *[("GET", "/once/x", {}, None)] * 2, *[("GET", "/few/x", {}, None)] * 4,
    ("GET", "/few/x", {FROM: "1.2.3.4"}, None),
    ("GET", "/packed/long", {"Accept-Encoding": "gzip"}, None), ("GET", "/packed/long", {}, None),
    ("GET", "/packed/x", {"Accept-Encoding": "gzip"}, None),
    ("GET", "/files/a.unknown", {}, None), ("GET", "/never/a.unknown", {}, None),
    *[("GET", "/kept/x", {}, None)] * 2, *[("GET", "/kept/404", {}, None)] * 2,
    *[("GET", "/weighed/x", {}, None)] * 8, *[("GET", "/failing/x", {}, None)] * 3,
    *[("GET", "/dead/x", {}, None)] * 3, ("GET", "/text?" + "x" * 1100, {}, None),
)  # fmt: skip
SHOWN = ("location", "x-good", "x-always", "content-encoding", "x-who")


def named(name: str, status: str = "200 OK") -> Service:
    async def say(request: Received, writer) -> None:
        missing = request.target.endswith("404")
        body = b"a word " * 100 if request.target.endswith("long") else request.target.encode()
        fields = f"X-Who: {name}\r\nContent-Type: text/plain\r\n"
        writer.write(answer(body, "404 No" if missing else status, fields))

    return Service(answering=say)


def seen(port: int, method: str, target: str, fields: dict[str, str], body: bytes | None) -> tuple:
    client = HTTPConnection("127.0.0.1", port, timeout=10)
    client.request(method, target, body, fields)
    got = client.getresponse()
    text = got.read()
    client.close()
    kept = {name: got.getheader(name) for name in SHOWN}
    if kept["location"]:
        kept["location"] = kept["location"].replace(f"http://127.0.0.1:{port}", "")
    if target.startswith(("/files/", "/never/")):
        kept |= {name: got.getheader(name) for name in ("cache-control", "content-type")}
        kept["cache-control"] = kept["cache-control"].removeprefix("public, ")  # ours says that too
    good = got.status == 200 and kept["content-encoding"] is None
    return got.status, text if good else b"", kept


@pytest.mark.req("GW-01")
def test_a_file_with_every_directive_of_nginxs_is_taken_by_both(nginx_program, tmp_path) -> None:
    make_certificate(tmp_path, "one.example")
    text = WHOLE.replace("FOLDER", str(tmp_path)).replace(
        "CERTIFICATE", str(tmp_path / "one.example")
    )
    (tmp_path / "inner.conf").write_text("root site;\n", "utf-8")
    path = tmp_path / "whole.conf"
    path.write_text(text, "utf-8")
    configuration.load(path)
    words = set(re.findall(r"[a-z_]+", WHOLE))
    assert words >= {d.name for d in TABLE if d.like == "nginx"}
    command = [nginx_program, "-t", "-p", str(tmp_path), "-e", "stderr", "-c", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "syntax is ok" in done.stderr, done.stderr


@pytest.mark.slow
@pytest.mark.req("GW-01", "GW-03", "GW-04")
def test_the_same_file_answers_alike_in_nginx(
    start: Callable[..., Running], nginx, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.unknown").write_text("a file", "utf-8")
    os.utime(files / "a.unknown", (TIME, TIME))
    services = {
        "service": named("service"), "a": named("a"), "b": named("b"), "c": named("c"),
        "unable": named("unable", "503 No"),
    }  # fmt: skip
    first = start("location / { return 200; }", services)
    port_of = {name: service.port for name, service in services.items()}
    with socket.create_server(("127.0.0.1", 0)) as probe:
        dead = probe.getsockname()[1]
    a, b, c, unable = (f"server 127.0.0.1:{port_of[n]}" for n in ("a", "b", "c", "unable"))
    groups = f"""
        upstream service {{ server 127.0.0.1:{port_of["service"]}; keepalive 4; }}
        upstream weighed {{ {a} weight=3; {b}; {c} down; }}
        upstream failing {{ {unable} max_fails=0; {b}; }}
        upstream dead {{ server 127.0.0.1:{dead}; {b}; {c} backup; }}
    """
    outside = OUTSIDE.replace("CACHE", str(tmp_path / "cache")) + groups
    gateway = start(LOCATIONS.replace("FILES", str(files)), {}, outside=outside)
    assert first.ask("/").status == 200
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    text = (tmp_path / "gateway.conf").read_text("utf-8").replace(str(gateway.port), str(port))
    received = services["service"].received
    with nginx("events { }\n" + text, port):
        theirs = [seen(port, *asked) for asked in ASKED]
        reached = [request.target for request in received]
        received.clear()
        ours = [seen(gateway.port, *asked) for asked in ASKED]
        for asked, their, own in zip(ASKED, theirs, ours, strict=True):
            assert own == their, asked
    assert [request.target for request in received] == reached
