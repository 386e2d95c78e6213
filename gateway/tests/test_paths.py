"""Whatever path is sent, the service reads the one the gateway decided by (S8)."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdoor import paths
from frontdoor.testing.running import Running
from frontdoor.testing.service import Service

PIECES = (
    "/", "//", ".", "..", "/.", "/..", "%2e", "%2E", "%2f", "%2F", "%5c", "\\", "%00", "%0a", "%7f",
    "%25", "%252e", "%252f", "%2525", "%", "%g", "%1", ";", ";x=1", "%3b", "%3B", "a", "admin",
    "public", "%61dmin", "%C0%AF", "%EF%BC%8F", "%E2%80%AE", "%ff", "~", "+", ":", "@", "&", "=",
    "#", "?", "?a=/../", "'", '"', "<", "|", "{", "^", "`", "%20", "人",
)  # fmt: skip


@pytest.mark.req("GW-04")
@given(target=st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
@settings(max_examples=1000)
def test_a_taken_path_means_one_thing_however_often_it_is_normalised(target) -> None:
    target = "/" + target
    try:
        path = paths.decode(target.encode("ascii"))
    except (paths.BadPath, UnicodeEncodeError):
        return
    text = path.decode()
    assert unquote(target.partition("?")[0]) == text  # what WSGI servers make of it
    segments = text.split("/")[1:]
    assert not {".", ".."} & set(segments)
    assert "" not in segments[:-1]
    assert "\\" not in text
    assert not any(ord(letter) < 32 or ord(letter) == 127 for letter in text)
    assert text.count("/") == target.partition("?")[0].count("/")


@pytest.mark.parametrize(
    "target",
    [
        "/a/../b", "/a/./b", "/..", "/.", "//a", "/a//b", "/%2e%2e/b", "/a/%2E./b", "/a%2fb",
        "/a%5Cb", "/a\\b", "/a%00", "/a%0d%0aX: y", "/%252e%252e/", "/%", "/%zz", "/a%7f",
        "/%c0%af", "/%ff", "/a#b", '/a"b', "/a?b#c", "/a?b=%00",
    ],
)  # fmt: skip
def test_a_doubtful_path_is_refused(target) -> None:
    with pytest.raises(paths.BadPath):
        paths.decode(target.encode())


@pytest.mark.slow
@pytest.mark.req("GW-02", "GW-04")
def test_a_service_sees_the_path_that_was_decided_and_no_other(start) -> None:
    """Two locations, told apart by path: what reaches a service is what its location means."""
    public, closed = Service(), Service()
    gateway: Running = start(
        """location /public/ { proxy_pass http://public; }
        location /public/admin { proxy_pass http://closed; }
        location ~ admin { proxy_pass http://closed; }""",
        {"public": public, "closed": closed},
    )
    client = gateway.connect()
    file = client.makefile("rb")

    @given(rest=st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
    @settings(max_examples=400)
    def ask(rest: str) -> None:
        nonlocal client, file
        before = len(public.received), len(closed.received)
        target = "/public/" + rest
        client.sendall(b"GET " + target.encode() + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        status = int(file.readline().split()[1])
        length, close = 0, False
        while (line := file.readline().lower().strip()) != b"":
            length = int(line[15:]) if line.startswith(b"content-length:") else length
            close = close or line == b"connection: close"
        file.read(length)
        if close:
            file.close()
            client.close()
            client = gateway.connect()
            file = client.makefile("rb")
        after = len(public.received), len(closed.received)
        sent = (after[0] - before[0], after[1] - before[1])
        if status == 200:
            meant = unquote(target.partition("?")[0])
            assert sent == ((0, 1) if "admin" in meant else (1, 0)), target
            seen = (closed if sent[1] else public).received[-1]
            assert seen.target == target
        else:
            assert sent == (0, 0)

    ask()
    file.close()
    client.close()
