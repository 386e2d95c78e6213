"""The blocks, and what nginx needs and we do not."""

from __future__ import annotations

from typing import Final

from frontdoor.declared import EVERYWHERE, MANY, SITES, taken
from frontdoor.directives import Directive

BLOCKS: Final = (
    Directive(
        "include",
        ("any",),
        "file",
        (1, 1),
        "Reads other files here; relative to the main file.",
        many=True,
    ),
    Directive("http", ("main",), "{ … }", (0, 0), "Holds everything.", block=True),
    Directive(
        "upstream", ("http",), "name { … }", (1, 1), "Servers of one kind.", block=True, many=True
    ),
    Directive("server", ("http",), "{ … }", (0, 0), "A site.", block=True, many=True),
    Directive(
        "location",
        ("server",),
        "[ = | ^~ | ~ | ~* ] path { … }",
        (1, 2),
        "What holds for some paths; found in nginx's order.",
        block=True,
        many=True,
    ),
)

TAKEN: Final = (
    Directive(
        "events", ("main",), "{ … }", (0, 0), "Taken for nginx's sake; does nothing.", block=True
    ),
    taken("worker_connections", ("events",), "number"),
    taken("worker_processes", ("main",), "number | auto"),
    taken("pid", ("main",), "file"),
    taken("user", ("main",), "name [group]", 2),
    taken("error_log", ("main", *EVERYWHERE), "file [level]", 2),
    taken("sendfile", EVERYWHERE, "on | off"),
    taken("tcp_nopush", EVERYWHERE, "on | off"),
    taken("tcp_nodelay", EVERYWHERE, "on | off"),
    taken("server_tokens", SITES, "on | off"),
    taken("zone", ("upstream",), "name [size]", 2),
    taken("types_hash_max_size", SITES, "size"),
    Directive(
        "proxy_http_version",
        EVERYWHERE,
        "1.1",
        (1, 1),
        "Services are always spoken to in HTTP/1.1.",
        default="1.1",
        only=("1.1",),
    ),
)

SITE: Final = (
    Directive(
        "listen",
        ("server",),
        "[host:]port [ssl] [default_server]",
        (1, 3),
        "Where the site listens.",
        many=True,
    ),
    Directive(
        "server_name",
        ("server",),
        "name …",
        (1, MANY),
        "The site's hosts: exact, *.example.cn, www.example.* or ~pattern.",
    ),
    Directive(
        "ssl_certificate",
        SITES,
        "file",
        (1, 1),
        "The certificate of a site that listens with ssl, with those between it and the root.",
    ),
    Directive("ssl_certificate_key", SITES, "file", (1, 1), "The certificate's key."),
    Directive(
        "ssl_protocols",
        SITES,
        "TLSv1.2 | TLSv1.3 …",
        (1, 2),
        "What is spoken; nothing older is known here.",
        default="TLSv1.2 TLSv1.3",
    ),
)
