"""Directives about the servers behind the gateway."""

from __future__ import annotations

from typing import Final

from frontdoor.declared import EVERYWHERE
from frontdoor.directives import Directive

UPSTREAMS: Final = (
    Directive(
        "server",
        ("upstream",),
        "host:port [weight=n] [max_fails=n] [fail_timeout=time] [max_conns=n] [slow_start=time]"
        " [backup] [down] [resolve]",
        (1, 9),
        "One server; after max_fails (1) failures it rests for fail_timeout (10s), unless alone;"
        " max_conns is divided among the workers; slow_start is NGINX Plus's.",
        many=True,
    ),
    Directive(
        "least_conn",
        ("upstream",),
        "",
        (0, 0),
        "Chooses the server with the fewest requests in hand of this worker, by weight.",
    ),
    Directive(
        "keepalive",
        ("upstream",),
        "number",
        (1, 1),
        "Idle connections a worker keeps to the group; 0 keeps none.",
        default="32",
    ),
    Directive(
        "keepalive_timeout",
        ("upstream", *EVERYWHERE),
        "time",
        (1, 1),
        "How long an idle connection is kept: to a server in upstream, of a client elsewhere.",
        default="60s",
    ),
    Directive(
        "queue",
        ("upstream",),
        "number [timeout=time]",
        (1, 2),
        "How many requests may wait (60s) when every server has max_conns in hand; then 503.",
        like="NGINX Plus",
    ),
    Directive(
        "health_check",
        ("upstream",),
        "[uri=path] [interval=time] [timeout=time] [fails=n] [passes=n]",
        (0, 5),
        "Asks each server for uri (/readyz) every interval (5s), for at most timeout (2s); after"
        " fails (2) it is left alone until passes (1). NGINX Plus has it in location.",
        like="NGINX Plus",
    ),
    Directive(
        "circuit_breaker",
        ("http", "upstream"),
        "failures=n [rest=time]",
        (1, 2),
        "After so many failures in a row a server, even the only one, is left alone for rest (5s);"
        " then one request tries. Meanwhile 503.",
        like="ours",
    ),
    Directive(
        "resolver",
        ("http", "upstream"),
        "address[:port] … | local [valid=time]",
        (1, 5),
        "Whom to ask for the names of servers with resolve; local is the system.",
    ),
)
