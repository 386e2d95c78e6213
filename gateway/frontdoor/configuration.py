"""Turns the statements of a configuration file into what they mean, or says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path

from frontdoor import units
from frontdoor.given import Given
from frontdoor.reading import BadConfiguration, Statement, read
from frontdoor.sites import (
    Address,
    Configuration,
    Limit,
    Location,
    PeerServer,
    Return,
    Server,
    Upstream,
    Zone,
)


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
    return _Builder(Given(http[0])).configuration()


class _Builder:
    def __init__(self, http: Given) -> None:
        self.http = http
        self.upstreams = {u.name: u for u in map(_upstream, http.all("upstream"))}
        self.zones = {z.name: z for z in map(_zone, http.all("limit_req_zone"))}
        for name, known in (("upstream", self.upstreams), ("limit_req_zone", self.zones)):
            if len(known) != len(http.all(name)):
                raise http.all(name)[-1].wrong(f'duplicate "{name}"')

    def configuration(self) -> Configuration:
        blocks = self.http.all("server")
        if not blocks:
            raise self.http.statement.wrong('no "server" block')
        servers = tuple(self._server(Given(block, self.http)) for block in blocks)
        defaults = [address for server in servers for address in server.default_for]
        if len(defaults) != len(set(defaults)):
            raise blocks[-1].wrong("a duplicate default server")
        keys, audience = self.http.word("auth_jwt_key_request"), self.http.word("auth_jwt_audience")
        return Configuration(self.upstreams, self.zones, servers, keys, audience)

    def _server(self, given: Given) -> Server:
        listens = [(_listen(s), s.arguments[1:]) for s in given.all("listen")]
        if not listens:
            raise given.statement.wrong('a "server" without "listen"')
        number, line = given.words("large_client_header_buffers")
        longest = given.checked("large_client_header_buffers", units.size, line)
        buffers = given.checked("large_client_header_buffers", int, number)
        locations = tuple(self._location(Given(s, given)) for s in given.all("location"))
        _check_places(given.all("location"))
        return Server(
            names=given.words_of_all("server_name"),
            listen=tuple(address for address, _ in listens),
            default_for=tuple(address for address, flags in listens if flags),
            returns=_return(given.own("return")),
            locations=locations,
            fallback=self._values(given, "", "/", None, None),
            header_timeout=given.seconds("client_header_timeout"),
            keepalive_timeout=given.seconds("keepalive_timeout"),
            longest_line=longest,
            longest_head=longest * buffers,
            max_connections=given.number("client_max_connections"),
            balancers=tuple(
                given.checked("set_real_ip_from", ip_network, statement.arguments[0])
                for statement in given.inherited("set_real_ip_from")
            ),
        )

    def _location(self, given: Given) -> Location:
        *modifier, path = given.statement.arguments
        if modifier and modifier[0] not in ("=", "^~", "~", "~*"):
            raise given.statement.wrong(f'invalid location modifier "{modifier[0]}"')
        if modifier and modifier[0].startswith("~"):
            given.checked("location", lambda text: re.compile(text.encode()), path)
        elif not path.startswith("/"):
            raise given.statement.wrong(f'location "{path}" does not begin with "/"')
        answers = ("proxy_pass", "return", "browser_session", "health")
        given_answers = [name for name in answers if given.own(name)]
        if len(given_answers) != 1:
            raise given.statement.wrong(f"a location needs exactly one of {', '.join(answers)}")
        kind = "".join(modifier)
        return self._values(given, kind, path, self._proxy_pass(given), given.own("return"))

    def _proxy_pass(self, given: Given) -> str | None:
        statement = given.own("proxy_pass")
        if statement is None:
            return None
        found = re.fullmatch(r"http://([A-Za-z0-9._-]+)", statement.arguments[0])
        if found is None or found[1] not in self.upstreams:
            raise statement.wrong(f'"{statement.arguments[0]}" is not http:// and an upstream')
        return found[1]

    def _values(
        self,
        given: Given,
        modifier: str,
        path: str,
        proxy_pass: str | None,
        returns: Statement | None,
    ) -> Location:
        realm = given.word("auth_jwt")
        log = given.words("access_log")
        log_format = given.one_of("access_log", log[1] if log[1:] else "combined", _FORMATS)
        return Location(
            modifier=modifier,
            path=path,
            proxy_pass=proxy_pass,
            returns=_return(returns),
            step=given.own_choice("browser_session", ("login", "callback", "logout", "show")),
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
            limits=tuple(self._limit(s) for s in given.inherited("limit_req")),
            limit_status=given.number("limit_req_status"),
            headers=tuple(_header(s) for s in given.inherited("add_header")),
            log_path=None if log[0] == "off" else log[0],
            log_format=log_format,
        )

    def _limit(self, statement: Statement) -> Limit:
        given = dict(word.partition("=")[::2] for word in statement.arguments)
        zone = self.zones.get(given.pop("zone", ""))
        if zone is None:
            raise statement.wrong("limit_req names no limit_req_zone")
        burst, nodelay = given.pop("burst", "0"), given.pop("nodelay", None)
        if given or not burst.isdecimal() or (burst != "0" and nodelay is None):
            raise statement.wrong("limit_req is zone=name [burst=n nodelay]; nothing is delayed")
        return Limit(zone, int(burst))


_FORMATS = ("combined", "json")
_REASONS = ("error", "timeout", "http_502", "http_503", "http_504", "off")


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


def _upstream(statement: Statement) -> Upstream:
    given = Given(statement)
    servers = tuple(_peer(s) for s in given.all("server"))
    if not any(not server.down for server in servers):
        raise statement.wrong(f'no servers in upstream "{statement.arguments[0]}"')
    return Upstream(
        name=statement.arguments[0],
        servers=servers,
        least_conn=given.own("least_conn") is not None,
        keepalive=given.number("keepalive"),
        keepalive_timeout=given.seconds("keepalive_timeout"),
    )


def _peer(statement: Statement) -> PeerServer:
    place, *options = statement.arguments
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal():
        raise statement.wrong(f'"{place}" is not host:port')
    given = dict(option.partition("=")[::2] for option in options)
    try:
        peer = PeerServer(
            address=Address(host.strip("[]"), int(port)),
            weight=units.number(given.pop("weight", "1")),
            max_fails=units.number(given.pop("max_fails", "1")),
            fail_timeout=units.seconds(given.pop("fail_timeout", "10s")),
            down=given.pop("down", None) is not None,
        )
    except ValueError as error:
        raise statement.wrong(str(error)) from error
    if given or peer.weight < 1:
        raise statement.wrong(f'invalid parameter "{" ".join(options)}"')
    return peer


def _zone(statement: Statement) -> Zone:
    key, *options = statement.arguments
    given = dict(option.partition("=")[::2] for option in options)
    name, _, size = given.get("zone", "").partition(":")
    if key not in ("$binary_remote_addr", "$remote_addr", "$jwt_claim_sub"):
        raise statement.wrong(f'a zone cannot be keyed by "{key}"')
    try:
        zone = Zone(name, key, units.size(size), units.rate(given.get("rate", "")))
    except ValueError as error:
        raise statement.wrong(str(error)) from error
    if not name or zone.size < _SMALLEST_ZONE:
        raise statement.wrong(f'zone "{name}" is too small')
    return zone


_SMALLEST_ZONE = 32 << 10  # nginx: eight pages


def _listen(statement: Statement) -> Address:
    place, *flags = statement.arguments
    host, _, port = place.rpartition(":")
    if not port.isdecimal() or flags not in ([], ["default_server"]):
        raise statement.wrong(f'"{" ".join(statement.arguments)}" is not [host:]port')
    return Address(host.strip("[]*") or "0.0.0.0", int(port))  # noqa: S104 - as nginx


def _return(statement: Statement | None) -> Return | None:
    if statement is None:
        return None
    code, text = statement.arguments[0], " ".join(statement.arguments[1:])
    if not re.fullmatch(r"[2-5]\d\d", code):
        raise statement.wrong(f'invalid return code "{code}"')
    if "$" in text:
        raise statement.wrong("variables are not part of the subset")
    return Return(int(code), text)


def _header(statement: Statement) -> tuple[str, str, bool]:
    name, value, *always = statement.arguments
    if always not in ([], ["always"]) or "$" in value or not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise statement.wrong("add_header is name value [always], without variables")
    return name, value, bool(always)
