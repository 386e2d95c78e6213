"""Every directive, one module a subject; `directive_table` puts them together."""

from __future__ import annotations

from typing import Final

from frontdoor.directives import Directive

EVERYWHERE: Final = ("http", "server", "location")
SITES: Final = ("http", "server")
MANY: Final = 64


def time(
    name: str, contexts: tuple[str, ...], meaning: str, default: str = "60s", like: str = "nginx"
) -> Directive:
    """A directive that takes a time."""
    return Directive(name, contexts, "time", (1, 1), meaning, like=like, default=default)


def flag(name: str, contexts: tuple[str, ...], meaning: str, like: str = "nginx") -> Directive:
    """A directive that is on or off, and off by default."""
    return Directive(name, contexts, "on | off", (1, 1), meaning, like=like, default="off")


def taken(name: str, contexts: tuple[str, ...], arguments: str, most: int = 1) -> Directive:
    """nginx's, without meaning here."""
    meaning = "Taken for nginx's sake; does nothing."
    only = ("on", "off") if arguments == "on | off" else ()
    return Directive(name, contexts, arguments, (1, most), meaning, only=only)
