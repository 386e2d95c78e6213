"""Which location holds for a host and a path, in nginx's order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, TypeVar

from frontdoor.sites import Address, Location, Server

T = TypeVar("T")


class Paths(Generic[T]):
    """The locations of one site: exact, longest prefix, first pattern, longest prefix.

    Args:
        locations: each with what is found when it holds.
        fallback: what is found when none does.
        slash: what is found for "/x" when only "/x/" is passed on; nginx sends people there.
    """

    def __init__(
        self, locations: Sequence[tuple[Location, T]], fallback: T, slash: T | None = None
    ) -> None:
        self._exact: dict[bytes, T] = {}
        prefixes: list[tuple[bytes, bool, T]] = []
        self._patterns: list[tuple[re.Pattern[bytes], T]] = []
        for location, value in locations:
            path = location.path.encode()
            if location.modifier == "=":
                self._exact[path] = value
            elif location.modifier in ("~", "~*"):
                flags = re.IGNORECASE if location.modifier == "~*" else 0
                self._patterns.append((re.compile(path, flags), value))
            else:
                prefixes.append((path, location.modifier == "^~", value))
        self._prefixes = sorted(prefixes, key=lambda entry: -len(entry[0]))
        self._fallback = fallback
        if slash is not None:
            for location, _ in locations:
                path = location.path.encode()
                if location.proxy_pass and path.endswith(b"/") and "~" not in location.modifier:
                    self._exact.setdefault(path[:-1], slash)

    def find(self, path: bytes) -> T:
        """What holds for a decoded path."""
        found = self._exact.get(path)
        if found is not None:
            return found
        found = self._fallback
        for prefix, final, value in self._prefixes:
            if path.startswith(prefix):
                if final:
                    return value
                found = value
                break
        for pattern, value in self._patterns:
            if pattern.search(path):
                return value
        return found


class Hosts(Generic[T]):
    """The sites at one address, as nginx finds them.

    Exact name, longest ``*.name``, longest ``name.*``, first pattern, the default.

    Args:
        sites: in the file's order, each with what is found when it holds.
        address: where they listen.
    """

    def __init__(self, sites: Sequence[tuple[Server, T]], address: Address) -> None:
        here = [(server, value) for server, value in sites if address in server.listen]
        defaults = [value for server, value in here if address in server.default_for]
        self.default = defaults[0] if defaults else here[0][1]
        self._exact: dict[bytes, T] = {}
        self._heads: list[tuple[bytes, T]] = []
        self._tails: list[tuple[bytes, T]] = []
        self._patterns: list[tuple[re.Pattern[bytes], T]] = []
        for server, value in here:
            for name in server.names:
                if name.startswith("~"):
                    self._patterns.append((re.compile(name[1:].encode(), re.IGNORECASE), value))
                else:
                    self._add(name.lower().encode(), value)
        self._tails.sort(key=lambda entry: -len(entry[0]))
        self._heads.sort(key=lambda entry: -len(entry[0]))
        self._only = not (self._exact or self._tails or self._heads or self._patterns)

    def _add(self, name: bytes, value: T) -> None:
        if name.startswith(b"*."):
            self._tails.append((name[1:], value))
        elif name.endswith(b".*"):
            self._heads.append((name[:-1], value))
        else:
            self._exact.setdefault(name, value)

    def find(self, host: bytes) -> T:
        """The site for a Host header."""
        if self._only:
            return self.default
        name = host.lower()
        if not name.endswith(b"]"):
            name = re.sub(rb":\d*$", b"", name).rstrip(b".")
        found = self._exact.get(name)
        if found is not None:
            return found
        for tail, value in self._tails:
            if name.endswith(tail) and len(name) > len(tail):
                return value
        for head, value in self._heads:
            if name.startswith(head) and len(name) > len(head):
                return value
        for pattern, value in self._patterns:
            if pattern.search(name):
                return value
        return self.default
