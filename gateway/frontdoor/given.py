"""The directives given in one block, and those it inherits."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from frontdoor import units
from frontdoor.directive_table import in_context
from frontdoor.reading import Statement

T = TypeVar("T")


class Given:
    """A block's directives, then its parents', then the defaults.

    Args:
        statement: the block.
        parent: what it inherits from.
    """

    def __init__(self, statement: Statement, parent: Given | None = None) -> None:
        self.statement = statement
        self.parent = parent

    def all(self, name: str) -> tuple[Statement, ...]:
        """Those in this block."""
        return tuple(s for s in self.statement.block or () if s.name == name)

    def own(self, name: str) -> Statement | None:
        """The one in this block."""
        found = self.all(name)
        return found[0] if found else None

    def inherited(self, name: str) -> tuple[Statement, ...]:
        """Those in this block or, where it has none, in the next one outside (as nginx does)."""
        found = self.all(name)
        if found or self.parent is None:
            return found
        return self.parent.inherited(name)

    def words(self, name: str) -> tuple[str, ...]:
        """The arguments that hold here."""
        found = self.inherited(name)
        if found:
            return found[0].arguments
        declared = in_context(name, self.statement.name)
        assert declared is not None, name
        return tuple(declared.default.split())

    def words_of_all(self, name: str) -> tuple[str, ...]:
        """The arguments of all in this block, one after another."""
        return tuple(word for statement in self.all(name) for word in statement.arguments)

    def word(self, name: str) -> str:
        """The first argument that holds here."""
        return self.words(name)[0]

    def checked(self, name: str, reader: Callable[[str], T], text: str | None = None) -> T:
        """The argument as a value.

        Raises:
            BadConfiguration: the reader raised ValueError.
        """
        try:
            return reader(self.word(name) if text is None else text)
        except ValueError as error:
            raise self._where(name).wrong(f'{error} in "{name}"') from error
        except Exception as error:  # a regular expression's own kind of error
            raise self._where(name).wrong(f'"{text}": {error}') from error

    def seconds(self, name: str) -> float:
        """A time."""
        return self.checked(name, units.seconds)

    def number(self, name: str) -> int:
        """A whole number."""
        return self.checked(name, units.number)

    def flag(self, name: str) -> bool:
        """``on`` or ``off``."""
        return self.checked(name, units.flag)

    def one_of(self, name: str, text: str, choices: Collection[str]) -> str:
        """The text, when it is one of the choices."""
        if text not in choices:
            raise self._where(name).wrong(f'invalid value "{text}" in "{name}"')
        return text

    def own_choice(self, name: str, choices: Collection[str]) -> str | None:
        """This block's own choice."""
        statement = self.own(name)
        return None if statement is None else self.one_of(name, statement.arguments[0], choices)

    def set_of(self, name: str, choices: Collection[str]) -> frozenset[str]:
        """All the words that hold here, each one of the choices."""
        return frozenset(self.one_of(name, word, choices) for word in self.words(name))

    def _where(self, name: str) -> Statement:
        found = self.inherited(name)
        return found[0] if found else self.statement
