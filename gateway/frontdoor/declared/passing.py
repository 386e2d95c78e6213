"""Directives about passing requests on, and about time and size."""

from __future__ import annotations

from typing import Final

from frontdoor.declared import EVERYWHERE, SITES, time
from frontdoor.directives import Directive

PASSING: Final = (
    Directive(
        "proxy_pass",
        ("location",),
        "http://upstream[/path]",
        (1, 1),
        "Passes the request on; with a path, that stands in place of the location's.",
    ),
    Directive(
        "proxy_set_header",
        EVERYWHERE,
        "Upgrade $http_upgrade | Connection … | Host …",
        (2, 2),
        "With Upgrade, WebSocket passes; the other two are taken for nginx's sake.",
        many=True,
    ),
    time("proxy_connect_timeout", EVERYWHERE, "How long connecting to a server may take."),
    time("proxy_send_timeout", EVERYWHERE, "How long a server may refuse to read."),
    time("proxy_read_timeout", EVERYWHERE, "How long a server may be silent."),
    Directive(
        "proxy_next_upstream",
        EVERYWHERE,
        "error | timeout | http_502 | http_503 | http_504 | off …",
        (1, 5),
        "When a request that may be repeated goes to the next server.",
        default="error timeout",
    ),
    Directive(
        "proxy_next_upstream_tries",
        EVERYWHERE,
        "number",
        (1, 1),
        "Servers asked at most for one request; at most one request in five is sent twice anyway.",
        default="3",
    ),
)

HELD: Final = (
    Directive(
        "proxy_buffering",
        EVERYWHERE,
        "on | off",
        (1, 1),
        "Takes the rest of a short answer at once, so that a slow reader does not hold its server.",
        default="on",
    ),
    Directive(
        "proxy_buffers",
        EVERYWHERE,
        "number size",
        (2, 2),
        "Number times size is the longest rest that is taken so; longer ones are streamed.",
        default="8 32k",
    ),
    Directive(
        "proxy_buffers_total",
        SITES,
        "size",
        (1, 1),
        "What a worker holds so at an address; beyond it slow readers hold their servers.",
        like="ours",
        default="16m",
    ),
    Directive(
        "proxy_buffer_size",
        EVERYWHERE,
        "size",
        (1, 1),
        "The longest head of an answer; a longer one is 502.",
        default="64k",
    ),
    Directive(
        "proxy_request_buffering",
        EVERYWHERE,
        "on | off",
        (1, 1),
        "Takes a body whole before a server is asked, so that slow senders hold none.",
        default="on",
    ),
    Directive(
        "client_body_buffer_size",
        EVERYWHERE,
        "size",
        (1, 1),
        "The longest body that is taken so into memory.",
        default="1m",
    ),
    Directive(
        "client_body_buffers_total",
        SITES,
        "size",
        (1, 1),
        "What a worker holds so at an address, a quarter of it for one client.",
        like="ours",
        default="32m",
    ),
    Directive(
        "client_body_temp_path",
        EVERYWHERE,
        "folder | off",
        (1, 1),
        "Where what is more than that is taken whole, in files without a name; off streams it.",
        default="off",
    ),
    Directive(
        "client_body_temp_total",
        SITES,
        "size",
        (1, 1),
        "What a worker keeps there for an address, a quarter of it for one client; beyond it 503.",
        like="ours",
        default="512m",
    ),
)

BOUNDS: Final = (
    Directive(
        "client_max_body_size",
        EVERYWHERE,
        "size",
        (1, 1),
        "The largest body; 0 is any.",
        default="1m",
    ),
    time("client_header_timeout", SITES, "How long a client may take for a request's head."),
    time("client_body_timeout", EVERYWHERE, "How long a client may pause within a body."),
    time("send_timeout", EVERYWHERE, "How long a client may refuse to read."),
    Directive(
        "large_client_header_buffers",
        SITES,
        "number size",
        (2, 2),
        "The longest line (414, 431) and, times number, the longest head.",
        default="4 8k",
    ),
    Directive(
        "client_max_connections",
        SITES,
        "number",
        (1, 1),
        "Open connections of one address per worker, TLS handshakes among them; 0 is any.",
        like="ours",
        default="0",
    ),
    Directive(
        "set_real_ip_from",
        SITES,
        "address | network",
        (1, 1),
        "A balancer that may say in X-Forwarded-For who the client is.",
        many=True,
    ),
    Directive(
        "real_ip_header",
        SITES,
        "X-Forwarded-For",
        (1, 1),
        "Balancers always say it there.",
        default="X-Forwarded-For",
        only=("X-Forwarded-For",),
    ),
    Directive(
        "real_ip_recursive",
        SITES,
        "on",
        (1, 1),
        "The client is always the last address that is no balancer's.",
        default="on",
        only=("on",),
    ),
)
