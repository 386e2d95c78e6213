"""Finds what the API's documentation says in English and not in Chinese, or the other way round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from servicekit.web.api_texts import FILE, is_chinese, is_english
from servicekit.web.app import ServiceApp
from servicekit.web.openapi import document, texts_of

HELP: Final = f"put the pair into the package's {FILE} (servicekit/web/api_texts.py says how)"
NO_WORDS: Final = frozenset({"example", "examples", "default", "enum", "info", "servers", "tags"})


def gaps(apps: Iterable[ServiceApp]) -> list[str]:
    """Every text that lacks one of the languages, and every pair whose text is gone (GW-06).

    Returns: what is wrong, by service; what to do about it in the last line; empty when all is
        well.
    """
    found: set[str] = set()
    used: set[str] = set()
    pairs: set[str] = set()
    for app in apps:
        texts = texts_of(app.service)
        written = document(app, texts)
        wrong = (*_missing(written), *_missing_meanings(written))
        found |= {f"{app.service.name}: {each}" for each in wrong}
        used |= texts.used
        pairs |= texts.names
    found |= {f"{FILE}: no text says {each!r} any more" for each in pairs - used}
    return [*sorted(found), HELP] if found else []


def _operations(written: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in written["paths"].values():
        yield from (found for found in item.values() if isinstance(found, dict))


def _described(part: Any) -> Iterator[dict[str, Any]]:
    """Parameters, properties, answers: whatever has a description or ought to."""
    if isinstance(part, dict):
        ought = part.get("in") in ("path", "query", "header")
        if ought or isinstance(part.get("description"), str):
            yield part
        for key, inner in part.items():
            if key not in NO_WORDS and key != "x-zh":
                yield from _described(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _described(inner)


def _missing(written: dict[str, Any]) -> Iterator[str]:
    """Tags and operations that have no words in one of the languages."""
    for tag in written["tags"]:
        if not (is_chinese(tag["description"]) and is_english(tag.get("x-en", "中"))):
            yield f"tag {tag['name']}: {tag['description']}"
    for operation in _operations(written):
        for part in ("summary", "description"):
            english, chinese = operation.get(part, ""), operation["x-zh"][part]
            if not (english and is_english(english)):
                yield f"{part} in English of {operation['operationId']}: {english!r}"
            if not (chinese and is_chinese(chinese)):
                yield f"{part} in Chinese of {operation['operationId']}: {chinese!r}"


def _missing_meanings(written: dict[str, Any]) -> Iterator[str]:
    """Parameters, properties and answers that have no words in one of the languages."""
    for holder in _described(written):
        if "operationId" in holder:
            continue
        said = holder.get("description", "")
        name = holder.get("name", said)
        if is_english(said) and not is_chinese(holder.get("x-zh", said or "missing")):
            yield f"{name}: {said!r} in Chinese"
        if not is_english(said) and not is_english(holder.get("x-en", "中")):
            yield f"{name}: {said!r} in English"
