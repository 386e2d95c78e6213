"""Everything the API's documentation says stands in English and in Chinese (GW-06)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from servicekit.web.api_texts import FILE, is_chinese, is_english
from servicekit.web.openapi import document, texts_of

HELP = f"; put the pair into the package's {FILE} (servicekit/web/api_texts.py says how)"
NO_WORDS = frozenset({"example", "examples", "default", "enum", "info", "servers", "tags"})


def operations(written: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in written["paths"].values():
        yield from (found for found in item.values() if isinstance(found, dict))


def described(part: Any) -> Iterator[dict[str, Any]]:
    """Parameters, properties, answers: whatever has a description or ought to."""
    if isinstance(part, dict):
        ought = part.get("in") in ("path", "query", "header")
        if ought or isinstance(part.get("description"), str):
            yield part
        for key, inner in part.items():
            if key not in NO_WORDS and key != "x-zh":
                yield from described(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from described(inner)


def missing(written: dict[str, Any]) -> Iterator[str]:
    """Tags and operations that have no words in one of the languages."""
    for tag in written["tags"]:
        if not (is_chinese(tag["description"]) and is_english(tag.get("x-en", "中"))):
            yield f"tag {tag['name']}: {tag['description']}"
    for operation in operations(written):
        for part in ("summary", "description"):
            english, chinese = operation.get(part, ""), operation["x-zh"][part]
            if not (english and is_english(english)):
                yield f"{part} in English of {operation['operationId']}: {english!r}"
            if not (chinese and is_chinese(chinese)):
                yield f"{part} in Chinese of {operation['operationId']}: {chinese!r}"


def missing_meanings(written: dict[str, Any]) -> Iterator[str]:
    """Parameters, properties and answers that have no words in one of the languages."""
    for holder in described(written):
        if "operationId" in holder:
            continue
        said = holder.get("description", "")
        name = holder.get("name", said)
        if is_english(said) and not is_chinese(holder.get("x-zh", said or "missing")):
            yield f"{name}: {said!r} in Chinese"
        if not is_english(said) and not is_english(holder.get("x-en", "中")):
            yield f"{name}: {said!r} in English"


@pytest.mark.req("GW-06")
def test_every_text_of_every_service_is_in_both_languages(apps) -> None:
    found = set()
    for name, app in apps.items():
        written = document(app)
        gaps = (*missing(written), *missing_meanings(written))
        found |= {f"{name}: {gap}" for gap in gaps}
    assert not found, "\n".join(sorted(found)) + HELP


def test_no_pair_is_left_over_from_texts_that_are_gone(apps) -> None:
    used: set[str] = set()
    pairs: set[str] = set()
    for app in apps.values():
        texts = texts_of(app.service)
        document(app, texts)
        used |= texts.used
        pairs |= texts.names
    assert pairs - used == set()
