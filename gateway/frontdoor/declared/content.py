"""Directives about what is answered: files, kept answers, the gateway's own pages."""

from __future__ import annotations

from typing import Final

from frontdoor.declared import EVERYWHERE, MANY, flag
from frontdoor.directives import Directive

FILES: Final = (
    Directive(
        "root",
        EVERYWHERE,
        "folder",
        (1, 1),
        "Serves the files below it; the whole path counts. Relative to the main file.",
    ),
    Directive(
        "alias",
        ("location",),
        "folder | file",
        (1, 1),
        "As root, but what the location names is not part of the file's path.",
    ),
    Directive(
        "index",
        EVERYWHERE,
        "file …",
        (1, 8),
        "What stands for a folder.",
        default="index.html",
    ),
    Directive(
        "try_files",
        ("server", "location"),
        "file … path | =code",
        (2, MANY),
        "The first of the files ($uri, $uri/, a fixed name) that is there; else the last, in the"
        " same location.",
    ),
    flag("gzip_static", EVERYWHERE, "Lets file.br and file.gz stand for file."),
    Directive(
        "expires",
        EVERYWHERE,
        "time | max | epoch | off",
        (1, 1),
        "Cache-Control of files: how long they may be kept.",
        default="off",
    ),
    Directive(
        "default_type",
        EVERYWHERE,
        "type",
        (1, 1),
        "Content-Type of files with unknown endings.",
        default="application/octet-stream",
    ),
)

KEPT: Final = (
    Directive(
        "proxy_cache_path",
        ("http",),
        "path keys_zone=name:size [inactive=time]",
        (2, 3),
        "A memory for public answers, one in each worker; nothing is written at path.",
        many=True,
    ),
    Directive(
        "proxy_cache",
        EVERYWHERE,
        "zone | off",
        (1, 1),
        "Keeps public answers to visitors (RFC 9111); never with Authorization or Set-Cookie.",
        default="off",
    ),
    Directive(
        "proxy_cache_valid",
        EVERYWHERE,
        "[code …] time",
        (1, 8),
        "How long answers that do not say it themselves are fresh.",
        many=True,
    ),
    Directive(
        "proxy_cache_longest",
        EVERYWHERE,
        "size",
        (1, 1),
        "The longest body that is kept.",
        like="ours",
        default="256k",
    ),
)

COMPRESSION: Final = (
    flag("gzip", EVERYWHERE, "Compresses text for those who take gzip."),
    flag("brotli", EVERYWHERE, "Compresses text for those who take br.", like="ngx_brotli"),
    Directive(
        "gzip_types",
        EVERYWHERE,
        "type …",
        (1, MANY),
        "What is compressed beside text/html.",
        default="text/html text/css text/plain text/javascript application/javascript"
        " application/json application/problem+json image/svg+xml",
    ),
    Directive(
        "gzip_min_length",
        EVERYWHERE,
        "size",
        (1, 1),
        "Shorter answers stay as they are.",
        default="1k",
    ),
)

OWN: Final = (
    Directive("return", ("server", "location"), "code [text | URL]", (1, 2), "Answers at once."),
    Directive(
        "health",
        ("location",),
        "live | ready",
        (1, 1),
        "Answers whether the gateway lives, or can check tokens.",
        like="ours",
    ),
    Directive(
        "openapi",
        ("location",),
        "document | page [upstream …]",
        (1, MANY),
        "The API of every upstream, or of those named, as one OpenAPI document or as a page.",
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
