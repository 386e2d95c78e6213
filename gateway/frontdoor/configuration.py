"""Turns the statements of a configuration file into what they mean, or says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from frontdoor import content_reading, limit_reading, tls, units
from frontdoor.content import Files
from frontdoor.given import Given
from frontdoor.reading import BadConfiguration, Statement, read
from frontdoor.routing import Paths
from frontdoor.sites import Address, Configuration, Location, Server, Source, Tls
from frontdoor.upstream_reading import read_upstream


def load(path: Path, included: Mapping[str, Path] | None = None) -> Configuration:
    """Read a configuration file.

    Raises:
        BadConfiguration: with file and line.
    """
    try:
        statements = read(path, included)
    except OSError as error:
        raise BadConfiguration(f"cannot read: {error.strerror}", path, 1) from error
    http = [statement for statement in statements if statement.name == "http"]
    if not http:
        raise BadConfiguration('no "http" block', path, 1)
    return _Builder(Given(http[0]), path.parent).configuration()


class _Builder:
    def __init__(self, http: Given, folder: Path) -> None:
        self.http = http
        self.folder = folder
        self.upstreams = {u.name: u for u in (read_upstream(s, http) for s in http.all("upstream"))}
        zones = (*http.all("limit_req_zone"), *http.all("limit_conn_zone"))
        self.zones = {z.name: z for z in map(limit_reading.read_zone, zones)}
        paths = http.all("proxy_cache_path")
        self.caches = {z.name: z for z in map(content_reading.read_cache_zone, paths)}
        for statements, known in (
            (http.all("upstream"), self.upstreams),
            (zones, self.zones),
            (paths, self.caches),
        ):
            if len(known) != len(statements):
                raise statements[-1].wrong(f'duplicate "{statements[-1].name}"')

    def configuration(self) -> Configuration:
        blocks = self.http.all("server")
        if not blocks:
            raise self.http.statement.wrong('no "server" block')
        servers = tuple(self._server(Given(block, self.http)) for block in blocks)
        defaults = [address for server in servers for address in server.default_for]
        if len(defaults) != len(set(defaults)):
            raise blocks[-1].wrong("a duplicate default server")
        mixed = {a for s in servers for a in s.secure} & {
            a for s in servers for a in s.listen if a not in s.secure
        }
        if mixed:
            raise blocks[-1].wrong("one address listens with ssl and without")
        keys, audience = self.http.word("auth_jwt_key_request"), self.http.word("auth_jwt_audience")
        sources = tuple(map(self._source, self.http.all("auth_jwt_revocations")))
        mandates = self.http.own("browser_session_mandates")
        return Configuration(
            upstreams=self.upstreams,
            zones=self.zones,
            servers=servers,
            keys_path=keys,
            audience=audience,
            sources=sources,
            mandates=None if mandates is None else self._source(mandates),
        )

    def _source(self, statement: Statement) -> Source:
        found = _PROXY_PASS.fullmatch(statement.arguments[0])
        if found is None or found[1] not in self.upstreams or found[2] is None:
            raise statement.wrong(f'"{statement.arguments[0]}" is not http://, upstream and path')
        return Source(found[1], found[2])

    def _server(self, given: Given) -> Server:
        listens = [(_listen(s), s.arguments[1:]) for s in given.all("listen")]
        if not listens:
            raise given.statement.wrong('a "server" without "listen"')
        number, line = given.words("large_client_header_buffers")
        longest = given.checked("large_client_header_buffers", units.size, line)
        buffers = given.checked("large_client_header_buffers", int, number)
        locations = tuple(self._location(Given(s, given)) for s in given.all("location"))
        _check_places(given.all("location"))
        _check_last_tries(given.all("location"), locations)
        secure = tuple(address for address, flags in listens if "ssl" in flags)
        return Server(
            names=self._names(given),
            listen=tuple(address for address, _ in listens),
            default_for=tuple(address for address, flags in listens if "default_server" in flags),
            returns=content_reading.read_return(given.own("return")),
            locations=locations,
            # What no location knows is not found, by visitors too.
            fallback=replace(self._values(given, "", "/"), realm=None),
            header_timeout=given.seconds("client_header_timeout"),
            keepalive_timeout=given.seconds("keepalive_timeout"),
            longest_line=longest,
            longest_head=longest * buffers,
            max_connections=given.number("client_max_connections"),
            balancers=tuple(
                given.checked("set_real_ip_from", ip_network, statement.arguments[0])
                for statement in given.inherited("set_real_ip_from")
            ),
            most_ahead=given.checked("proxy_buffers_total", units.size),
            most_gathered=given.checked("client_body_buffers_total", units.size),
            most_spooled=given.checked("client_body_temp_total", units.size),
            secure=secure,
            tls=self._tls(given) if secure else None,
        )

    @staticmethod
    def _names(given: Given) -> tuple[str, ...]:
        names = given.words_of_all("server_name")
        for name in names:
            if name.startswith("~"):
                given.checked("server_name", re.compile, name[1:])
        return names

    def _tls(self, given: Given) -> Tls:
        files = []
        for name in ("ssl_certificate", "ssl_certificate_key"):
            found = given.inherited(name)
            if not found:
                raise given.statement.wrong(f'listen … ssl needs "{name}"')
            path = self.folder / found[0].arguments[0]
            if not path.is_file():
                raise found[0].wrong(f"cannot read {path}")
            files.append(path)
        certificate, key = files
        site = Tls(certificate, key, given.set_of("ssl_protocols", ("TLSv1.2", "TLSv1.3")))
        try:
            tls.context(site)
        except ValueError as error:
            raise given.inherited("ssl_certificate")[0].wrong(str(error)) from error
        return site

    def _location(self, given: Given) -> Location:
        *modifier, path = given.statement.arguments
        if modifier and modifier[0] not in ("=", "^~", "~", "~*"):
            raise given.statement.wrong(f'invalid location modifier "{modifier[0]}"')
        if modifier and modifier[0].startswith("~"):
            given.checked("location", lambda text: re.compile(text.encode()), path)
        elif not path.startswith("/"):
            raise given.statement.wrong(f'location "{path}" does not begin with "/"')
        given_answers = [name for name in _ANSWERS if given.own(name)]
        kind = "".join(modifier)
        files = content_reading.read_files(given, self.folder, kind, path)
        if given_answers:
            files = None
        if len(given_answers) + (files is not None) != 1 or (given.own("alias") and not files):
            wanted = ", ".join((*_ANSWERS, "root", "alias"))
            raise given.statement.wrong(f"a location needs exactly one of {wanted}")
        upstream, rewrite = self._proxy_pass(given, kind, path)
        return self._values(
            given,
            kind,
            path,
            proxy_pass=upstream,
            rewrite=rewrite,
            returns=content_reading.read_return(given.own("return")),
            files=files,
        )

    def _proxy_pass(self, given: Given, kind: str, path: str) -> tuple[str | None, str | None]:
        statement = given.own("proxy_pass")
        if statement is None:
            return None, None
        found = re.fullmatch(
            r"http://([A-Za-z0-9._-]+)(/[A-Za-z0-9._~/-]*)?", statement.arguments[0]
        )
        if found is None or found[1] not in self.upstreams:
            raise statement.wrong(f'"{statement.arguments[0]}" is not http:// and an upstream')
        if found[2] is not None and kind.startswith("~"):
            raise statement.wrong("proxy_pass takes no path in a location by pattern")
        if found[2] is not None and kind != "=" and found[2].endswith("/") > path.endswith("/"):
            raise statement.wrong('this would put "//" into paths')
        return found[1], found[2]

    def _values(self, given: Given, modifier: str, path: str, **answers: Any) -> Location:
        realm = given.word("auth_jwt")
        log = given.words("access_log")
        log_format = given.one_of("access_log", log[1] if log[1:] else "combined", _FORMATS)
        limits, in_hand = given.inherited("limit_req"), given.inherited("limit_conn")
        return Location(
            modifier=modifier,
            path=path,
            step=given.own_choice("browser_session", _STEPS),
            health=given.own_choice("health", ("live", "ready")),
            connect_timeout=given.seconds("proxy_connect_timeout"),
            read_timeout=given.seconds("proxy_read_timeout"),
            write_timeout=given.seconds("proxy_send_timeout"),
            next_upstream=given.set_of("proxy_next_upstream", _REASONS),
            max_body=given.checked("client_max_body_size", units.size),
            body_timeout=given.seconds("client_body_timeout"),
            send_timeout=given.seconds("send_timeout"),
            realm=None if realm == "off" else realm,
            token_optional=given.flag("auth_jwt_optional"),
            limits=tuple(limit_reading.read_limit(s, self.zones) for s in limits),
            limit_status=given.number("limit_req_status"),
            limit_headers=given.flag("limit_req_headers"),
            headers=tuple(content_reading.read_header(s) for s in given.inherited("add_header")),
            log_path=None if log[0] == "off" else log[0],
            log_format=log_format,
            tries=given.number("proxy_next_upstream_tries"),
            caching=content_reading.read_caching(given, self.caches),
            cors=content_reading.read_cors(given),
            demand=content_reading.read_demand(given),
            in_hand=tuple(limit_reading.read_in_hand(s, self.zones) for s in in_hand),
            in_hand_status=given.number("limit_conn_status"),
            access=limit_reading.read_access(given),
            compression=content_reading.read_compression(given),
            upgrade=content_reading.read_upgrade(given),
            openapi=content_reading.read_openapi(given.own("openapi"), self.upstreams),
            longest_ahead=limit_reading.read_ahead(given),
            longest_answer_head=given.checked("proxy_buffer_size", units.size),
            **limit_reading.read_bodies(given, self.folder),
            **{"proxy_pass": None, "returns": None, **answers},
        )


_PROXY_PASS: Final = re.compile(r"http://([A-Za-z0-9._-]+)(/[A-Za-z0-9._~/-]*)?")
_ANSWERS: Final = ("proxy_pass", "return", "browser_session", "health", "openapi")
_STEPS: Final = ("login", "callback", "logout", "back-channel-logout", "act", "leave", "show")
_FORMATS: Final = ("combined", "json")
_REASONS: Final = ("error", "timeout", "http_502", "http_503", "http_504", "off")


def _check_places(statements: Sequence[Statement]) -> None:
    seen: set[tuple[bool, str]] = set()
    for statement in statements:
        *modifier, path = statement.arguments
        place = (modifier == ["="], path)  # nginx too: ^~ and none are the same place
        if modifier and modifier[0].startswith("~"):
            continue
        if place in seen:
            raise statement.wrong(f'duplicate location "{path}"')
        seen.add(place)


def _check_last_tries(statements: Sequence[Statement], locations: Sequence[Location]) -> None:
    """nginx would look for a location again; here the last of try_files stays where it is."""
    paths: Paths[Files | None] = Paths([(loc, loc.files) for loc in locations], None)
    for statement, location in zip(statements, locations, strict=True):
        files = location.files
        if files is None or files.otherwise is None:
            continue
        if paths.find(files.otherwise.encode()) is not files:
            raise statement.wrong(f'try_files: "{files.otherwise}" is of another location')


def _listen(statement: Statement) -> Address:
    place, *flags = statement.arguments
    host, _, port = place.rpartition(":")
    known = {"default_server", "ssl"}
    if not port.isdecimal() or not set(flags) <= known or len(flags) != len(set(flags)):
        raise statement.wrong(f'"{" ".join(statement.arguments)}" is not [host:]port')
    return Address(host.strip("[]*") or "0.0.0.0", int(port))  # noqa: S104 - as nginx
