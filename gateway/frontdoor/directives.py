"""What a directive's declaration says."""

from __future__ import annotations

from dataclasses import dataclass

Like = str  # nginx, NGINX Plus or ours


@dataclass(frozen=True, slots=True)
class Directive:
    """A name, where it may stand, what it takes, and one sentence.

    Args:
        contexts: the blocks it may stand in; ``any`` is every block and none.
        arguments: how they are written, for the documentation.
        count: the least and the largest number of arguments.
        like: whose directive it is; ``ours`` has no counterpart in nginx.
        default: what holds when it is not given, written as its arguments.
        block: it has braces.
        many: it may be given more than once in a block.
        only: what its first argument may be; empty is anything that is read elsewhere.
    """

    name: str
    contexts: tuple[str, ...]
    arguments: str
    count: tuple[int, int]
    meaning: str
    like: Like = "nginx"
    default: str = ""
    block: bool = False
    many: bool = False
    only: tuple[str, ...] = ()
