"""Every directive of the configuration file, declared once; docs/gateway.md shows this table."""

from __future__ import annotations

from typing import Final

from frontdoor.directives import Directive

EVERYWHERE: Final = ("http", "server", "location")
SITES: Final = ("http", "server")
MANY: Final = 64


def _time(name: str, contexts: tuple[str, ...], meaning: str) -> Directive:
    return Directive(name, contexts, "time", (1, 1), meaning, default="60s")


TABLE: Final = (
    Directive(
        "include",
        ("any",),
        "file",
        (1, 1),
        "Reads other files here; relative to the main file.",
        many=True,
    ),
    Directive(
        "events", ("main",), "{ … }", (0, 0), "Taken for nginx's sake; does nothing.", block=True
    ),
    Directive(
        "worker_connections", ("events",), "number", (1, 1), "Taken for nginx's sake; does nothing."
    ),
    Directive("http", ("main",), "{ … }", (0, 0), "Holds everything.", block=True),
    Directive(
        "upstream", ("http",), "name { … }", (1, 1), "Servers of one kind.", block=True, many=True
    ),
    Directive(
        "server",
        ("upstream",),
        "host:port [weight=n] [max_fails=n] [fail_timeout=time] [down]",
        (1, 5),
        "One server; after max_fails (1) failures it rests for fail_timeout (10s), unless alone.",
        many=True,
    ),
    Directive("server", ("http",), "{ … }", (0, 0), "A site.", block=True, many=True),
    Directive(
        "least_conn",
        ("upstream",),
        "",
        (0, 0),
        "Chooses the server with the fewest requests in hand.",
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
        "location",
        ("server",),
        "[ = | ^~ | ~ | ~* ] path { … }",
        (1, 2),
        "What holds for some paths; found in nginx's order.",
        block=True,
        many=True,
    ),
    Directive(
        "listen",
        ("server",),
        "[host:]port [default_server]",
        (1, 2),
        "Where the site listens.",
        many=True,
    ),
    Directive(
        "server_name",
        ("server",),
        "name …",
        (1, MANY),
        "The site's hosts: exact, *.example.cn or www.example.*.",
    ),
    Directive("return", ("server", "location"), "code [text | URL]", (1, 2), "Answers at once."),
    Directive(
        "proxy_pass",
        ("location",),
        "http://upstream",
        (1, 1),
        "Passes the request on, path and query unchanged.",
    ),
    _time("proxy_connect_timeout", EVERYWHERE, "How long connecting to a server may take."),
    _time("proxy_send_timeout", EVERYWHERE, "How long a server may refuse to read."),
    _time("proxy_read_timeout", EVERYWHERE, "How long a server may be silent."),
    Directive(
        "proxy_next_upstream",
        EVERYWHERE,
        "error | timeout | http_502 | http_503 | http_504 | off …",
        (1, 5),
        "When a request that may be repeated goes to the next server.",
        default="error timeout",
    ),
    Directive(
        "client_max_body_size",
        EVERYWHERE,
        "size",
        (1, 1),
        "The largest body; 0 is any.",
        default="1m",
    ),
    _time("client_header_timeout", SITES, "How long a client may take for a request's head."),
    _time("client_body_timeout", EVERYWHERE, "How long a client may pause within a body."),
    _time("send_timeout", EVERYWHERE, "How long a client may refuse to read."),
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
        "Open connections of one address per worker; 0 is any.",
        like="ours",
        default="0",
    ),
    Directive(
        "set_real_ip_from",
        SITES,
        "address | network",
        (1, 1),
        "A balancer that may say in X-Forwarded-For who the client is (as real_ip_recursive on).",
        many=True,
    ),
    Directive(
        "limit_req_zone",
        ("http",),
        "$binary_remote_addr | $jwt_claim_sub zone=name:size rate=n r/s|r/m",
        (3, 3),
        "A shared memory of how often each key asked; $jwt_claim_sub is NGINX Plus's.",
        many=True,
    ),
    Directive(
        "limit_req",
        EVERYWHERE,
        "zone=name [burst=n nodelay]",
        (1, 3),
        "Refuses what comes faster than the zone's rate and the burst; nothing is delayed.",
        many=True,
    ),
    Directive(
        "limit_req_status",
        EVERYWHERE,
        "code",
        (1, 1),
        "The status of a refusal by limit_req.",
        default="503",
    ),
    Directive(
        "auth_jwt",
        EVERYWHERE,
        "realm | off",
        (1, 1),
        "Needs a valid access token, as a bearer or from the browser's session.",
        like="NGINX Plus",
        default="off",
    ),
    Directive(
        "auth_jwt_optional",
        EVERYWHERE,
        "on | off",
        (1, 1),
        "Lets a request without a token pass; one that comes along is still checked.",
        like="ours",
        default="off",
    ),
    Directive(
        "auth_jwt_key_request",
        ("http",),
        "path",
        (1, 1),
        "Where identity (FRONTDOOR_IDENTITY_URL) shows its keys.",
        like="NGINX Plus",
        default="/identity/jwks.json",
    ),
    Directive(
        "auth_jwt_audience",
        ("http",),
        "name",
        (1, 1),
        "The audience a token must be for.",
        like="ours",
        default="urn:jiuye:api",
    ),
    Directive(
        "browser_session",
        ("location",),
        "login | callback | logout | show",
        (1, 1),
        "Answers as that step of a browser's session.",
        like="ours",
    ),
    Directive(
        "health",
        ("location",),
        "live | ready",
        (1, 1),
        "Answers whether the gateway lives, or can check tokens.",
        like="ours",
    ),
    Directive(
        "add_header",
        EVERYWHERE,
        "name value [always]",
        (2, 3),
        "A header on good answers, or always.",
        many=True,
    ),
    Directive(
        "access_log",
        EVERYWHERE,
        "path [combined | json] | off",
        (1, 2),
        "One line per request, without queries.",
        default="off",
    ),
)

DIRECTIVES: Final = {
    name: tuple(directive for directive in TABLE if directive.name == name)
    for name in dict.fromkeys(directive.name for directive in TABLE)
}


def in_context(name: str, context: str) -> Directive | None:
    """The directive as it may be written in a block; None when it may not stand there."""
    for directive in DIRECTIVES[name]:
        if context in directive.contexts or "any" in directive.contexts:
            return directive
    return None


def as_markdown() -> str:
    """The table of docs/gateway.md."""
    rows = ["| directive | where | default | whose | meaning |", "| --- | --- | --- | --- | --- |"]
    for d in TABLE:
        written = f"{d.name} {d.arguments}".strip().replace("|", "\\|")
        default = f"`{d.default}`" if d.default else ""
        where = ", ".join(d.contexts)
        rows.append(f"| `{written}` | {where} | {default} | {d.like} | {d.meaning} |")
    return "\n".join(rows)
