"""TLS at the front: the certificate of the site that was asked for, nothing older than 1.2."""

from __future__ import annotations

import ssl
import warnings

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from frontdoor import configuration
from frontdoor.reading import BadConfiguration
from frontdoor.testing.certificates import make_certificate
from frontdoor.testing.running import Running, read_all
from frontdoor.testing.service import Service

PASS = "location / { proxy_pass http://service; }"
GET = b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"


@pytest.fixture
def gateway(start, tmp_path) -> Running:
    for name in ("one.example", "two.example", "any.example"):
        make_certificate(tmp_path, name)
    certificate = "ssl_certificate {0}.example.pem; ssl_certificate_key {0}.example.key;"
    other = f"""server {{ listen 127.0.0.1:PORT ssl; server_name two.example;
        {certificate.format("two")} ssl_protocols TLSv1.3; location / {{ return 200 two; }} }}
        server {{ listen 127.0.0.1:PORT ssl default_server; {certificate.format("any")}
        return 404; }}"""
    inside = f"server_name one.example *.one.example; {certificate.format('one')} {PASS}"
    running: Running = start(inside, {"service": Service()}, site="ssl", outside=other)
    return running


def speak(gateway: Running, name: str | None, host: str | None = None, **limits: object) -> tuple:
    """What is shown to a client that asks for a name, and what it hears."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    for limit, value in limits.items():
        setattr(context, limit, value)
    with gateway.connect() as raw, context.wrap_socket(raw, server_hostname=name) as client:
        shown = x509.load_der_x509_certificate(client.getpeercert(binary_form=True) or b"")
        client.sendall(GET % (host or name or "x").encode())
        said = read_all(client)
        spoken = (client.version(), client.selected_alpn_protocol())
    common = shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return common, said.split(b"\r\n")[0], spoken


def speak_old(gateway: Running) -> None:
    """TLS 1.1, which Python warns of."""
    older = ssl.TLSVersion.TLSv1_1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        speak(gateway, "one.example", minimum_version=older, maximum_version=older)


def test_the_certificate_is_the_one_of_the_name_that_was_asked_for(gateway) -> None:
    assert speak(gateway, "one.example")[0] == "one.example"
    assert speak(gateway, "deep.one.example")[0] == "one.example"
    assert speak(gateway, "TWO.example")[:2] == ("two.example", b"HTTP/1.1 200 OK")
    assert speak(gateway, None)[:2] == ("any.example", b"HTTP/1.1 404 Not Found")
    assert speak(gateway, "three.example")[0] == "any.example"
    assert speak(gateway, "one.example")[2] == ("TLSv1.3", "http/1.1")


def test_old_versions_are_not_spoken(gateway) -> None:
    old = ssl.TLSVersion.TLSv1_2
    assert speak(gateway, "one.example", maximum_version=old)[2] == ("TLSv1.2", "http/1.1")
    with pytest.raises(ssl.SSLError):
        speak_old(gateway)


def test_plain_http_at_the_door_ends_without_a_word(gateway) -> None:
    with gateway.connect() as client:
        client.sendall(GET % b"one.example")
        assert b"HTTP" not in read_all(client)
    assert gateway._services["service"].received == []


def test_a_body_passes_both_ways_and_a_refusal_is_heard(gateway) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for length, status in ((900_000, b"200"), (3_000_000, b"413")):
        with context.wrap_socket(gateway.connect(), server_hostname="one.example") as client:
            head = b"POST / HTTP/1.1\r\nHost: one.example\r\nConnection: close\r\n"
            client.sendall(head + b"Content-Length: %d\r\n\r\n" % length)
            client.sendall(b"x" * length)
            assert client.recv(1000).startswith(b"HTTP/1.1 " + status)
            gateway.clock.advance(3)  # TLS has no half-close: the answer lingers until then
            gateway.sweep()
            read_all(client)
    assert [len(r.body) for r in gateway._services["service"].received] == [900_000]


def test_a_certificate_that_is_none_is_told_with_file_and_line(tmp_path) -> None:
    make_certificate(tmp_path, "a.example")
    make_certificate(tmp_path, "b.example")
    path = tmp_path / "gateway.conf"
    for certificate, key in (
        ("a.example.pem", "b.example.key"),
        ("a.example.key", "a.example.key"),
    ):
        path.write_text(
            f"http {{ server {{ listen 1 ssl;\nssl_certificate {certificate};\n"
            f"ssl_certificate_key {key};\nlocation / {{ return 200; }} }} }}"
        )
        with pytest.raises(BadConfiguration, match=rf"{certificate} and {key}.*gateway\.conf:2$"):
            configuration.load(path)


@pytest.mark.req("GW-04")
def test_handshakes_count_among_the_connections_of_an_address(start, tmp_path) -> None:
    make_certificate(tmp_path, "one.example")
    inside = f"""client_max_connections 3; client_header_timeout 5s;
        ssl_certificate one.example.pem; ssl_certificate_key one.example.key; {PASS}"""
    gateway = start(inside, {"service": Service()}, site="ssl")
    (door,) = gateway.gateway.doors.values()
    silent = [gateway.connect() for _ in range(3)]
    gateway.until(lambda: door.greeted == 3)
    assert gateway.gateway.connections == 3
    with gateway.connect() as fourth:
        assert read_all(fourth) == b""
    for client in silent:
        client.close()
    gateway.until(lambda: door.greeted == 0)
    for _ in range(4):  # each leaves its place
        assert speak(gateway, "one.example")[1] == b"HTTP/1.1 200 OK"
    gateway.until(lambda: gateway.gateway.connections == 0)
