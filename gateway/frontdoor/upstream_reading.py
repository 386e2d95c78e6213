"""Reads upstream blocks: their servers, and when a server is left alone."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Final, TypeVar

from frontdoor import units
from frontdoor.given import Given
from frontdoor.reading import Statement
from frontdoor.sites import (
    Address,
    Breaker,
    HealthCheck,
    PeerServer,
    Queue,
    Resolver,
    Upstream,
)

T = TypeVar("T")

DNS_PORT: Final = 53


class Options:
    """The ``name=value`` words of a statement; what is left over is wrong.

    Args:
        statement: for the message.
        words: those that are options.
    """

    def __init__(self, statement: Statement, words: tuple[str, ...]) -> None:
        self._statement = statement
        self._words = " ".join(words)
        self._given = dict(word.partition("=")[::2] for word in words)

    def take(self, name: str, reader: Callable[[str], T], default: str) -> T:
        """One option as a value.

        Raises:
            BadConfiguration: the reader raised ValueError.
        """
        try:
            return reader(self._given.pop(name, default))
        except ValueError as error:
            raise self._statement.wrong(str(error)) from error

    def flag(self, name: str) -> bool:
        """Was the bare word there?"""
        return self._given.pop(name, None) is not None

    def end(self, *, good: bool = True) -> None:
        """Refuse what nobody took, and what makes no sense.

        Raises:
            BadConfiguration: with the words.
        """
        if self._given or not good:
            raise self._statement.wrong(f'invalid parameter "{self._words}"')


def read_upstream(statement: Statement, http: Given) -> Upstream:
    """One upstream block.

    Raises:
        BadConfiguration: with file and line.
    """
    given = Given(statement, http)
    servers = tuple(_peer(s) for s in given.all("server"))
    if not any(not server.down for server in servers):
        raise statement.wrong(f'no servers in upstream "{statement.arguments[0]}"')
    resolver = _resolver(given)
    if resolver is None and any(server.resolve for server in servers):
        raise statement.wrong('"resolve" needs a "resolver"')
    return Upstream(
        name=statement.arguments[0],
        servers=servers,
        least_conn=given.own("least_conn") is not None,
        keepalive=given.number("keepalive"),
        keepalive_timeout=Given(statement).seconds("keepalive_timeout"),
        check=_check(given.own("health_check")),
        breaker=_breaker(given.inherited("circuit_breaker")),
        queue=_queue(given.own("queue")),
        resolver=resolver,
    )


def _peer(statement: Statement) -> PeerServer:
    place, *words = statement.arguments
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal():
        raise statement.wrong(f'"{place}" is not host:port')
    options = Options(statement, tuple(words))
    peer = PeerServer(
        address=Address(host.strip("[]"), int(port)),
        weight=options.take("weight", units.number, "1"),
        max_fails=options.take("max_fails", units.number, "1"),
        fail_timeout=options.take("fail_timeout", units.seconds, "10s"),
        max_conns=options.take("max_conns", units.number, "0"),
        slow_start=options.take("slow_start", units.seconds, "0"),
        down=options.flag("down"),
        backup=options.flag("backup"),
        resolve=options.flag("resolve"),
    )
    options.end(good=peer.weight >= 1)
    return peer


def _check(statement: Statement | None) -> HealthCheck | None:
    if statement is None:
        return None
    options = Options(statement, statement.arguments)
    check = HealthCheck(
        uri=options.take("uri", str, "/readyz"),
        interval=options.take("interval", units.seconds, "5s"),
        timeout=options.take("timeout", units.seconds, "2s"),
        fails=options.take("fails", units.number, "2"),
        passes=options.take("passes", units.number, "1"),
    )
    sound = check.uri.startswith("/") and check.interval and check.timeout
    options.end(good=bool(sound and check.fails and check.passes))
    return check


def _breaker(found: tuple[Statement, ...]) -> Breaker | None:
    if not found:
        return None
    (statement,) = found
    options = Options(statement, statement.arguments)
    failures = options.take("failures", units.number, "0")
    rest = options.take("rest", units.seconds, "5s")
    options.end(good=failures > 0 and rest > 0)
    return Breaker(failures, rest)


def _queue(statement: Statement | None) -> Queue | None:
    if statement is None:
        return None
    length, *words = statement.arguments
    options = Options(statement, tuple(words))
    timeout = options.take("timeout", units.seconds, "60s")
    options.end(good=length.isdecimal())
    return Queue(int(length), timeout)


def _resolver(given: Given) -> Resolver | None:
    found = given.inherited("resolver")
    if not found:
        return None
    places = [word for word in found[0].arguments if "=" not in word]
    options = Options(found[0], tuple(word for word in found[0].arguments if "=" in word))
    valid = options.take("valid", units.seconds, "0")
    options.end(good=bool(places))
    servers = () if places == ["local"] else tuple(_name_server(found[0], p) for p in places)
    return Resolver(servers, valid or None)


def _name_server(statement: Statement, place: str) -> Address:
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, port = place, str(DNS_PORT)
    try:
        return Address(str(ip_address(host.strip("[]"))), int(port))
    except ValueError as error:
        raise statement.wrong(f'"{place}" is no address of a name server') from error
