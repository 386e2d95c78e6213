"""What the API's documentation says in English and in Chinese, from catalogues beside the code.

``api_texts.toml`` of the kit and of a service's package hold pairs, ``"English" = "中文"``, a
paragraph each, and under ``[parameters]`` what parameters without words of their own mean. A text
stands in the code in one language; its document gets the other as ``x-zh`` or ``x-en``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

FILE: Final = "api_texts.toml"
CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_CODE: Final = re.compile(r"`[^`]*`")
_GLOSS: Final = re.compile(r"\s*\([^()]*\)|[“\"][^”\"]*[”\"]")
_EXAMPLES: Final = frozenset({"example", "examples", "default", "enum", "const"})

Document = dict[str, Any]


class ApiTexts:
    """The catalogues of one service.

    Args:
        folders: where they are, the service's before the kit's; a folder need not have one.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._pairs: dict[str, str] = {}
        self._parameters: dict[str, dict[str, str]] = {}
        self.used: set[str] = set()  # English sides, and parameters' names
        for folder in reversed(list(folders)):
            path = folder / FILE
            if path.is_file():
                found = tomllib.loads(path.read_text("utf-8"))
                self._pairs |= found.get("texts", {})
                self._parameters |= found.get("parameters", {})

    @property
    def names(self) -> set[str]:
        """What may be used: English sides, and parameters' names."""
        return self._pairs.keys() | self._parameters.keys()

    @cached_property
    def _back(self) -> dict[str, str]:
        return {chinese: english for english, chinese in self._pairs.items()}

    def chinese(self, text: str) -> str:
        """An English text in Chinese, paragraph by paragraph; what has no pair stays."""
        parts = (_one_line(part) for part in text.split("\n\n"))
        return "\n\n".join(self._chinese_part(part) for part in parts)

    def _chinese_part(self, part: str) -> str:
        if part in self._pairs:
            self.used.add(part)
        return self._pairs.get(part, part)

    def english(self, text: str) -> str | None:
        """A Chinese text in English; None when it has no pair."""
        found = self._back.get(_one_line(text))
        if found is not None:
            self.used.add(found)
        return found

    def complete(self, written: Document) -> None:
        """Give a document's tags, parameters and schemas the language they lack."""
        for tag in written.get("tags", ()):
            self._translate(tag)
        for place in (written["paths"], written["components"]):
            for holder in _described(place):
                self._translate(holder)

    def _translate(self, holder: Document) -> None:
        if holder.get("in") in ("path", "query") and "description" not in holder:
            meaning = self._parameters.get(str(holder.get("name")))
            if meaning is not None:
                self.used.add(str(holder["name"]))
                holder["description"], holder["x-zh"] = meaning["en"], meaning["zh"]
            return
        said = holder.get("description")
        if not isinstance(said, str) or "x-zh" in holder:
            return
        if is_english(said):
            if (chinese := self.chinese(said)) != _one_line(said):
                holder["x-zh"] = chinese
        elif (english := self.english(said)) is not None:
            holder["x-en"] = english


def is_english(text: str) -> bool:
    """Is it, but for Chinese words in brackets or quoted?"""
    return not CHINESE.search(_GLOSS.sub("", _CODE.sub("", text)))


def is_chinese(text: str) -> bool:
    """Has every paragraph of it Chinese words, or none in any language?"""
    parts = (_GLOSS.sub("", _CODE.sub("", part)) for part in text.split("\n\n"))
    return all(CHINESE.search(part) or not re.search(r"[A-Za-z]", part) for part in parts)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _described(part: Any) -> Iterator[Document]:
    if isinstance(part, dict):
        if "operationId" not in part and (
            part.get("in") or isinstance(part.get("description"), str)
        ):
            yield part
        for key, inner in part.items():
            if key not in _EXAMPLES:
                yield from _described(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _described(inner)
