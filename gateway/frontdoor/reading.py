"""Reads a file in nginx's syntax into checked statements; mistakes are told with file and line."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import crossplane
from crossplane.errors import NgxParserBaseException

from frontdoor.directive_table import DIRECTIVES, in_context
from frontdoor.directives import Directive

Token = tuple[str, int, bool]

DEEPEST_INCLUDE = 8


class BadConfiguration(Exception):
    """The file cannot be followed; the text is nginx's: what, in which file, in which line."""

    def __init__(self, what: str, file: Path | str, line: int | None) -> None:
        super().__init__(f"{what} in {file}:{line or 1}")


@dataclass(frozen=True, slots=True)
class Statement:
    """One directive as it was written; ``block`` holds the statements between its braces."""

    name: str
    arguments: tuple[str, ...]
    file: Path
    line: int
    block: tuple[Statement, ...] | None = None

    def wrong(self, what: str) -> BadConfiguration:
        """The refusal that points here."""
        return BadConfiguration(what, self.file, self.line)


def read(path: Path, included: Mapping[str, Path] | None = None) -> tuple[Statement, ...]:
    """Read a file and what it includes.

    Args:
        path: the main file; relative includes are looked for beside it, as nginx does.
        included: files to read in place of an included name.

    Raises:
        BadConfiguration: bad syntax, an unknown or misplaced directive, a wrong number of
            arguments, a directive given twice, a file that cannot be read.
    """
    return _Reader(path.parent, included or {}).read(path, "main", 0)


class _Reader:
    def __init__(self, folder: Path, included: Mapping[str, Path]) -> None:
        self.folder = folder
        self.included = included

    def read(self, path: Path, context: str, depth: int) -> tuple[Statement, ...]:
        tokens = _Tokens(path)
        statements = tuple(self._statements(tokens, context, depth))
        if tokens.closed:
            raise BadConfiguration('unexpected "}"', path, tokens.line)
        return statements

    def _statements(self, tokens: _Tokens, context: str, depth: int) -> Iterator[Statement]:
        given: set[str] = set()
        for name, line, quoted in tokens:
            if name == "}" and not quoted:
                tokens.closed = True
                return
            if name in ("{", ";") and not quoted:
                raise BadConfiguration(f'unexpected "{name}"', tokens.path, line)
            arguments, end = tokens.arguments(name)
            statement = Statement(name, arguments, tokens.path, line)
            _check(statement, context, end, given)
            if name == "include":
                yield from self._include(statement, context, depth, given)
            elif end == "{":
                block = tuple(self._statements(tokens, name, depth))
                if not tokens.closed:
                    raise tokens.ends_early('"}"')
                tokens.closed = False
                yield Statement(name, arguments, tokens.path, line, block)
            else:
                yield statement

    def _include(
        self, statement: Statement, context: str, depth: int, given: set[str]
    ) -> Iterator[Statement]:
        if depth == DEEPEST_INCLUDE:
            raise statement.wrong("too many nested includes")
        pattern = statement.arguments[0]
        replaced = self.included.get(pattern)
        paths = [replaced] if replaced else self._matching(pattern)
        for path in paths:
            try:
                found = self.read(path, context, depth + 1)
            except OSError as error:
                raise statement.wrong(f"cannot read {path}: {error.strerror}") from error
            for one in found:
                declared = in_context(one.name, context)
                if declared is not None:
                    _check_once(one, declared, given)
                yield one

    def _matching(self, pattern: str) -> list[Path]:
        full = str(self.folder / pattern)
        if glob.has_magic(full):
            return [Path(name) for name in sorted(glob.glob(full))]  # noqa: PTH207 - absolute too
        return [Path(full)]


def _check(statement: Statement, context: str, end: str, given: set[str]) -> None:
    name = statement.name
    if name not in DIRECTIVES:
        raise statement.wrong(f'unknown directive "{name}"')
    declared = in_context(name, context)
    if declared is None:
        raise statement.wrong(f'"{name}" directive is not allowed here')
    if declared.block and end != "{":
        raise statement.wrong(f'directive "{name}" has no opening "{{"')
    if not declared.block and end != ";":
        raise statement.wrong(f'directive "{name}" is not terminated by ";"')
    least, most = declared.count
    if not least <= len(statement.arguments) <= most:
        raise statement.wrong(f'invalid number of arguments in "{name}" directive')
    if declared.only and statement.arguments[0] not in declared.only:
        raise statement.wrong(f'invalid value "{statement.arguments[0]}" in "{name}"')
    _check_once(statement, declared, given)


def _check_once(statement: Statement, declared: Directive, given: set[str]) -> None:
    if statement.name in given and not declared.many:
        raise statement.wrong(f'"{statement.name}" directive is duplicate')
    given.add(statement.name)


class _Tokens:
    """The words of one file, without comments."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.closed = False
        self.line = 1
        self._tokens = self._lex()

    def __iter__(self) -> Iterator[Token]:
        return self._tokens

    def arguments(self, name: str) -> tuple[tuple[str, ...], str]:
        """The words up to the end of the directive, and what ended it."""
        words: list[str] = []
        for word, _, quoted in self._tokens:
            if word in ("{", ";", "}") and not quoted:
                return tuple(words), word
            words.append(word)
        raise self.ends_early(f'";" or "}}" after "{name}"')

    def ends_early(self, expecting: str) -> BadConfiguration:
        """The file is over and should not be."""
        what = f"unexpected end of file, expecting {expecting}"
        return BadConfiguration(what, self.path, self.line)

    def _lex(self) -> Iterator[Token]:
        text = self.path.read_text(encoding="utf-8", errors="replace")
        last = text.rstrip().rpartition("\n")[2].lstrip()
        if last and last[-1] not in ";{}" and "#" not in last:
            self.line = text.rstrip().count("\n") + 1
            raise self.ends_early('";" or "}"')  # crossplane would drop the last word
        try:
            for word, line, quoted in crossplane.lex(str(self.path)):
                self.line = line
                if not word.startswith("#") or quoted:
                    yield word, line, quoted
        except NgxParserBaseException as error:
            raise BadConfiguration(error.strerror, self.path, error.lineno) from error
