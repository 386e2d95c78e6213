"""Files: conditions, ranges, precompressed ones; nothing hidden and nothing outside is shown."""

from __future__ import annotations

import gzip
import os
import socket
from email.utils import formatdate
from http.client import HTTPConnection
from pathlib import Path

import pytest

DAY = 86400
TIME = 1_700_000_000


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a little of everything."""
    folder = tmp_path / "site"
    files = {
        "index.html": b"<p>home",
        "fallback.html": b"<p>fallback",
        "a.txt": b"0123456789",
        "empty.txt": b"",
        "style.css": b"p { color: red }\n" * 20,
        "sub/index.html": b"<p>sub",
        "sub/page.html": b"<p>page",
        "bare/x.bin": b"\0\1",
        ".secret": b"no",
        ".well-known/about": b"yes",
        "人.txt": "你好".encode(),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "style.css.gz").write_bytes(gzip.compress((folder / "style.css").read_bytes()))
    (tmp_path / "outside.txt").write_text("outside")
    (folder / "out.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "in.txt").symlink_to(folder / "a.txt")
    (folder / "up").symlink_to(tmp_path)
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (TIME, TIME))
    return folder


@pytest.mark.req("GW-06")
def test_files_are_shown_and_what_is_hidden_or_outside_is_not(site, start) -> None:
    gateway = start(f"location / {{ root {site}; }}", {})
    home = gateway.ask("/")
    assert (home.status, home.body) == (200, b"<p>home")
    assert home.one("content-type") == "text/html; charset=utf-8"
    assert home.one("cache-control") == "no-cache"
    assert home.one("x-content-type-options") == "nosniff"
    assert gateway.ask("/%E4%BA%BA.txt").body.decode() == "你好"
    assert gateway.ask("/in.txt").body == b"0123456789"
    assert gateway.ask("/.well-known/about").status == 200
    for path in ("/.secret", "/out.txt", "/up/outside.txt", "/none", "/a.txt/", "/a.txt/x", "/%2e"):
        assert gateway.ask(path).status in (400, 404), path
    assert gateway.ask("/bare/").status == 403
    to = gateway.ask("/sub?x=1")
    assert (to.status, to.one("location")) == (301, "/sub/?x=1")
    posted = gateway.ask("/a.txt", "POST", body=b"x")
    assert (posted.status, posted.one("allow")) == (405, "GET, HEAD")


def test_conditions_are_those_of_rfc_9110(site, start) -> None:
    gateway = start(f"location / {{ root {site}; expires 1d; }}", {})
    whole = gateway.ask("/a.txt")
    tag, date = whole.one("etag"), whole.one("last-modified")
    assert whole.one("cache-control") == f"public, max-age={DAY}"
    later, earlier = (formatdate(TIME + d, usegmt=True) for d in (DAY, -DAY))
    cases = [
        ({"If-None-Match": tag}, 304),
        ({"If-None-Match": f'"x", W/{tag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-None-Match": '"x"', "If-Modified-Since": later}, 200),
        ({"If-Modified-Since": date}, 304),
        ({"If-Modified-Since": earlier}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Match": tag}, 200),
        ({"If-Match": f"W/{tag}"}, 412),
        ({"If-Match": '"x"'}, 412),
        ({"If-Unmodified-Since": earlier}, 412),
        ({"If-Unmodified-Since": date}, 200),
    ]
    for fields, status in cases:
        got = gateway.ask("/a.txt", fields=fields)
        assert got.status == status, fields
        if status == 304:
            assert (got.body, got.one("etag"), got.one("content-length")) == (b"", tag, None)


def test_one_range_is_sent_several_are_answered_with_all(site, start) -> None:
    gateway = start(f"location / {{ root {site}; }}", {})
    tag = gateway.ask("/a.txt").one("etag")
    cases = [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=4-", 206, b"456789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=10-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=3-2", 200, b"0123456789"),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
        ("lines=0-1", 200, b"0123456789"),
    ]
    for wanted, status, body in cases:
        got = gateway.ask("/a.txt", fields={"Range": wanted})
        assert (got.status, got.body) == (status, body), wanted
        if status == 416:
            assert got.one("content-range") == "bytes */10"
    assert gateway.ask("/a.txt", fields={"Range": "bytes=2-4"}).one("content-range") == (
        "bytes 2-4/10"
    )
    for condition, status in ((tag, 206), ('"x"', 200), (f"W/{tag}", 200)):
        fields = {"Range": "bytes=0-0", "If-Range": condition}
        assert gateway.ask("/a.txt", fields=fields).status == status
    assert gateway.ask("/empty.txt", fields={"Range": "bytes=0-"}).status == 416
    head = gateway.ask("/a.txt", "HEAD", fields={"Range": "bytes=0-3"})
    assert (head.status, head.one("content-length")) == (200, "10")


def test_a_packed_file_stands_for_one_where_the_client_takes_it(site, start) -> None:
    gateway = start(f"location / {{ root {site}; gzip_static on; }}", {})
    packed = gateway.ask("/style.css", fields={"Accept-Encoding": "br;q=1, gzip"})
    assert packed.one("content-encoding") == "gzip"
    assert packed.one("vary") == "Accept-Encoding"
    assert packed.one("content-type") == "text/css; charset=utf-8"
    assert gzip.decompress(packed.body) == (site / "style.css").read_bytes()
    for taken in ("", "gzip;q=0", "identity", "*;q=0"):
        plain = gateway.ask("/style.css", fields={"Accept-Encoding": taken})
        assert plain.one("content-encoding") is None
        assert plain.one("vary") == "Accept-Encoding"
        assert plain.one("etag") != packed.one("etag")
    (site / "style.css.br").write_bytes(b"brotli")
    gateway.clock.advance(2)
    both = gateway.ask("/style.css", fields={"Accept-Encoding": "gzip, *;q=0.1"})
    assert both.one("content-encoding") == "br"


def test_a_large_file_is_streamed_as_fast_as_the_client_reads_and_may_change(site, start) -> None:
    large = os.urandom(3 << 20)
    (site / "large.bin").write_bytes(large)
    gateway = start(f"location / {{ root {site}; send_timeout 5s; }}", {})
    assert gateway.ask("/large.bin").body == large
    part = gateway.ask("/large.bin", fields={"Range": f"bytes=100000-{(2 << 20)}"})
    assert part.body == large[100_000 : (2 << 20) + 1]
    assert gateway.ask("/large.bin", "HEAD").one("content-length") == str(3 << 20)
    client = HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    for _ in range(2):  # the connection goes on
        client.request("GET", "/large.bin")
        assert client.getresponse().read() == large
    client.close()
    with (site / "huge.bin").open("wb") as huge:
        huge.truncate(256 << 20)
    with gateway.connect() as slow:
        slow.sendall(b"GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        (door,) = gateway.gateway.doors.values()
        gateway.until(lambda: any(c.stalled for c in door.connections))
        gateway.clock.advance(6)
        gateway.sweep()
        gateway.until(lambda: not door.connections)
    (site / "large.bin").write_bytes(b"small now")
    assert gateway.ask("/large.bin").body == b"small now"
    (site / "large.bin").unlink()
    assert gateway.ask("/large.bin").status == 404


def test_alias_and_try_files(site, start) -> None:
    gateway = start(
        f"""
        location /files/ {{ alias {site}/sub/; }}
        location = /one {{ alias {site}/a.txt; }}
        location / {{ root {site}; try_files $uri $uri/ =404; }}
        """,
        {},
    )
    assert gateway.ask("/files/page.html").body == b"<p>page"
    assert gateway.ask("/files/").body == b"<p>sub"
    assert gateway.ask("/files/a.txt").status == 404
    assert gateway.ask("/one").body == b"0123456789"
    assert gateway.ask("/sub/page.html").body == b"<p>page"
    assert gateway.ask("/none").status == 404


def test_the_last_of_try_files_stands_for_what_is_not_there(site, start) -> None:
    gateway = start(f"location / {{ root {site}; try_files $uri /index.html; }}", {})
    assert gateway.ask("/any/where").body == b"<p>home"
    assert gateway.ask("/a.txt").body == b"0123456789"


FILES = """
    location / { root SITE; try_files $uri $uri/ =404; }
    location /plain/ { alias SITE/; index index.html; }
    location /fall { root SITE; try_files $uri /fallback.html; }
    location ^~ /sub/ { root SITE; gzip_static on; }
    location = /one { alias SITE/a.txt; }
"""


@pytest.mark.req("GW-01", "GW-06")
def test_the_same_file_shows_the_same_files_in_nginx(site, start, tmp_path, nginx) -> None:
    gateway = start(FILES.replace("SITE", str(site)), {})
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    text = (tmp_path / "gateway.conf").read_text("utf-8").replace(str(gateway.port), str(port))
    paths = (
        "/", "/a.txt", "/sub", "/sub/", "/sub/page.html", "/bare", "/bare/", "/none", "/plain/",
        "/plain/sub", "/plain/a.txt", "/plain/none", "/plain/bare/", "/fall", "/fall/x",
        "/one", "/%E4%BA%BA.txt", "/style.css", "/empty.txt", "/sub?x=1", "/a.txt/",
    )  # fmt: skip
    asked = (
        {}, {"Range": "bytes=1-2"}, {"Range": "bytes=50-"}, {"If-None-Match": "*"},
        {"If-Modified-Since": formatdate(TIME, usegmt=True)}, {"If-Match": '"x"'},
    )  # fmt: skip
    with nginx("events { }\n" + text, port):
        for path in paths:
            for fields in asked:
                client = HTTPConnection("127.0.0.1", port, timeout=10)
                client.request("GET", path, headers=fields)
                got = client.getresponse()
                body = got.read() if got.status in (200, 206) else b""
                ours = gateway.ask(path, fields=fields)
                own = ours.body if ours.status in (200, 206) else b""
                assert (ours.status, own) == (got.status, body), (path, fields)
                for name in ("etag", "content-range", "last-modified"):
                    if got.status in (200, 206):
                        assert ours.one(name) == got.getheader(name), (path, fields, name)
                client.close()
