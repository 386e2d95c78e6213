"""Reads what a location answers with and under which conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from frontdoor import units
from frontdoor.content import CacheZone, Caching, Compression, Cors, Demand, Files, OpenApi
from frontdoor.given import Given
from frontdoor.reading import Statement
from frontdoor.sites import Return
from frontdoor.upstream_reading import Options

_FOREVER: Final = 315360000  # nginx's "max": ten years
_ACR: Final = re.compile(r"(urn:[a-z0-9-]+:[a-z]+):(\d+)")
_KINDS: Final = ("person", "unit", "officer", "system")
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_NAME: Final = re.compile(r"[A-Za-z0-9-]+")


def read_return(statement: Statement | None) -> Return | None:
    """A ``return``.

    Raises:
        BadConfiguration: with file and line.
    """
    if statement is None:
        return None
    code, text = statement.arguments[0], " ".join(statement.arguments[1:])
    if not re.fullmatch(r"[2-5]\d\d", code):
        raise statement.wrong(f'invalid return code "{code}"')
    if "$" in text:
        raise statement.wrong("variables are not part of the subset")
    return Return(int(code), text)


def read_header(statement: Statement) -> tuple[str, str, bool]:
    """An ``add_header``.

    Raises:
        BadConfiguration: with file and line.
    """
    name, value, *always = statement.arguments
    if always not in ([], ["always"]) or "$" in value or not _NAME.fullmatch(name):
        raise statement.wrong("add_header is name value [always], without variables")
    return name, value, bool(always)


def read_files(given: Given, folder: Path, modifier: str, path: str) -> Files | None:
    """The files of a location, if it serves any.

    Raises:
        BadConfiguration: with file and line.
    """
    alias, root = given.own("alias"), given.inherited("root")
    if alias is None and not root:
        return None
    if alias is not None and (given.own("root") or "~" in modifier.removeprefix("^~")):
        raise alias.wrong("alias stands in a location by path, without root")
    folders = path.endswith("/") and alias is not None and alias.arguments[0].endswith("/")
    if alias is not None and modifier != "=" and not folders:
        raise alias.wrong('alias and its location both end with "/"')
    where = alias or root[0]
    if "$" in where.arguments[0]:
        raise where.wrong("variables are not part of the subset")
    tries, otherwise, status = _tries(given)
    return Files(
        folder=folder / where.arguments[0],
        strip=path if alias is not None else "",
        index=given.words("index"),
        tries=tries,
        otherwise=otherwise,
        status=status,
        precompressed=given.flag("gzip_static"),
        expires=given.checked("expires", _expires),
        default_type=given.word("default_type"),
    )


def _tries(given: Given) -> tuple[tuple[str, ...], str | None, int]:
    found = given.inherited("try_files")
    if not found:
        return (), None, 404
    *tries, last = found[0].arguments
    for word in tries:
        if "$" in word.replace("$uri", "", 1):
            raise found[0].wrong("try_files knows no variable but $uri")
    if last.startswith("="):
        if not re.fullmatch(r"=[2-5]\d\d", last):
            raise found[0].wrong(f'invalid code "{last}"')
        return tuple(tries), None, int(last[1:])
    if not re.fullmatch(r"/[^$]*", last):
        raise found[0].wrong("try_files ends with a path or =code")
    return tuple(tries), last, 404


def _expires(text: str) -> int | None:
    if text == "off":
        return None
    if text == "epoch":
        return -1
    return _FOREVER if text == "max" else int(units.seconds(text))


def read_cache_zone(statement: Statement) -> CacheZone:
    """A ``proxy_cache_path``.

    Raises:
        BadConfiguration: with file and line.
    """
    options = Options(statement, statement.arguments[1:])
    name, _, size = options.take("keys_zone", str, "").partition(":")
    inactive = options.take("inactive", units.seconds, "10m")
    options.end(good=bool(name))
    try:
        return CacheZone(name, units.size(size), inactive)
    except ValueError as error:
        raise statement.wrong(str(error)) from error


def read_caching(given: Given, zones: Mapping[str, CacheZone]) -> Caching | None:
    """The use of a cache zone.

    Raises:
        BadConfiguration: with file and line.
    """
    name = given.word("proxy_cache")
    if name == "off":
        return None
    if name not in zones:
        raise given.inherited("proxy_cache")[0].wrong(f'no proxy_cache_path has a zone "{name}"')
    valid: dict[int, float] = {}
    for statement in given.inherited("proxy_cache_valid"):
        *codes, time = statement.arguments
        try:
            seconds = units.seconds(time)
            numbers = [int(code) for code in codes] or [200, 301, 302]
        except ValueError as error:
            raise statement.wrong(str(error)) from error
        for number in numbers:
            valid.setdefault(number, seconds)
    longest = given.checked("proxy_cache_longest", units.size)
    return Caching(zones[name], valid, longest)


def read_cors(given: Given) -> Cors | None:
    """Who else's pages may ask.

    Raises:
        BadConfiguration: with file and line.
    """
    origins = given.words("cors_origin")
    if origins == ("off",):
        return None
    for origin in () if origins == ("*",) else origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
            wrong = given.inherited("cors_origin")[0].wrong
            raise wrong(f'"{origin}" is not http(s)://host[:port]')
    methods = given.words("cors_methods")
    for method in methods:
        given.one_of("cors_methods", method, _METHODS)
    return Cors(
        origins=frozenset(origins),
        methods=methods,
        headers=given.words("cors_headers"),
        exposed=given.words("cors_expose"),
        max_age=int(given.seconds("cors_max_age")),
    )


def read_demand(given: Given) -> Demand:
    """What a token must be for, and whose.

    Raises:
        BadConfiguration: with file and line.
    """
    levels, kinds = given.words("auth_jwt_level"), given.words("auth_jwt_kind")
    if levels == ("off",):
        levels = ()
    scales = [scale_and_step(level) for level in levels]
    for level, found in zip(levels, scales, strict=True):
        if found is None:
            wrong = given.inherited("auth_jwt_level")[0].wrong
            raise wrong(f'"{level}" is no level, as urn:gdhrss:ial:2 is')
    if len({found[0] for found in scales if found}) != len(levels):
        raise given.inherited("auth_jwt_level")[0].wrong("two levels on one scale")
    if kinds == ("off",):
        kinds = ()
    for kind in kinds:
        given.one_of("auth_jwt_kind", kind, _KINDS)
    return Demand(given.words("auth_jwt_audience"), levels, frozenset(kinds))


def scale_and_step(acr: str) -> tuple[str, int] | None:
    """``urn:gdhrss:ial:2`` is step 2 on the scale ``urn:gdhrss:ial``; None is on no scale."""
    found = _ACR.fullmatch(acr)
    return None if found is None else (found[1], int(found[2]))


def read_compression(given: Given) -> Compression | None:
    """What is compressed on the way out."""
    gzip, brotli = given.flag("gzip"), given.flag("brotli")
    if not gzip and not brotli:
        return None
    types = frozenset((*given.words("gzip_types"), "text/html"))
    return Compression(gzip, brotli, types, given.checked("gzip_min_length", units.size))


def read_upgrade(given: Given) -> bool:
    """May WebSocket pass? Said as nginx says it.

    Raises:
        BadConfiguration: another field than those two.
    """
    wanted = False
    for statement in given.inherited("proxy_set_header"):
        name, value = statement.arguments
        known = {
            "upgrade": ("$http_upgrade",),
            "connection": ("upgrade", "$http_connection", "$connection_upgrade", ""),
            "host": ("$host", "$http_host"),
        }
        if value.lower() not in known.get(name.lower(), ()):
            raise statement.wrong(f'proxy_set_header "{name}" is not part of the subset')
        wanted = wanted or name.lower() == "upgrade"
    return wanted


def read_openapi(statement: Statement | None, upstreams: Mapping[str, object]) -> OpenApi | None:
    """The API description a location answers with.

    Raises:
        BadConfiguration: with file and line.
    """
    if statement is None:
        return None
    form, *names = statement.arguments
    if form not in ("document", "page"):
        raise statement.wrong(f'invalid value "{form}" in "openapi"')
    for name in names:
        if name not in upstreams:
            raise statement.wrong(f'no upstream "{name}"')
    return OpenApi(form, tuple(names) or tuple(upstreams))
