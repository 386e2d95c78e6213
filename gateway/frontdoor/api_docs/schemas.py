"""Shows JSON schemas as tables: one row a property, nested ones by their path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

DEEPEST: Final = 5
MOST_ROWS: Final = 200
_LIMITS: Final = (
    ("minLength", "≥ {} {characters}"), ("maxLength", "≤ {} {characters}"), ("minimum", "≥ {}"),
    ("maximum", "≤ {}"), ("minItems", "≥ {} {items}"), ("maxItems", "≤ {} {items}"),
    ("pattern", "{}"),
)  # fmt: skip
_COUNTED: Final = {
    "zh": {"characters": "字符", "items": "项"},
    "en": {"characters": "characters", "items": "items"},
}
# Chinese words and numbers of clauses in brackets: English texts have them for who knows them.
_GLOSS: Final = re.compile(r"\s*\((?:[^()]*[\u4e00-\u9fff][^()]*|[A-Z]{1,3}-?\d+)\)")


@dataclass(frozen=True, slots=True)
class Property:
    """One row: a property by its path, its type, whether it must be there, what it means."""

    path: str
    kind: str
    required: bool
    meaning: str
    limits: tuple[str, ...]


class Schemas:
    """The schemas of one document.

    Args:
        document: the whole of it; references lead into it.
        language: ``zh`` or ``en``.
    """

    def __init__(self, document: dict[str, Any], language: str) -> None:
        self._document = document
        self._language = language

    def said(self, operation: dict[str, Any], part: str) -> str:
        """What an operation says of itself, as ``summary`` or as ``description``."""
        chinese = operation.get("x-zh", {}).get(part) if self._language == "zh" else None
        return str(chinese or self._plain(operation.get(part, "")))

    def meaning(self, described: Any) -> str:
        """What something says of itself, in the language where it says it in both."""
        if not isinstance(described, dict):
            return ""
        found = described.get(f"x-{self._language}", described.get("description", ""))
        return self._plain(found) if isinstance(found, str) else ""

    def _plain(self, text: str) -> str:
        return _GLOSS.sub("", text) if self._language == "en" else text

    def resolved(self, value: Any) -> dict[str, Any]:
        """What stands at a reference; other things are themselves."""
        for _ in range(DEEPEST):
            if not isinstance(value, dict) or "$ref" not in value:
                break
            value = self._at(str(value["$ref"]))
        return value if isinstance(value, dict) else {}

    def _at(self, reference: str) -> Any:
        found: Any = self._document
        for step in reference.removeprefix("#/").split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
        return found

    def rows(self, schema: Any) -> list[Property]:
        """Every property, those of nested objects after their parent."""
        found = []
        for row in self._rows(schema, "", (), 0):
            found.append(row)
            if len(found) == MOST_ROWS:
                break
        return found

    def _rows(
        self, schema: Any, path: str, above: tuple[str, ...], depth: int
    ) -> Iterator[Property]:
        reference = schema.get("$ref", "") if isinstance(schema, dict) else ""
        if reference in above or depth > DEEPEST:
            return
        above = (*above, reference) if reference else above
        found = self.resolved(schema)
        if "items" in found:
            yield from self._rows(found["items"], f"{path}[]", above, depth + 1)
        for part in (*found.get("allOf", ()), *found.get("anyOf", ()), *found.get("oneOf", ())):
            yield from self._rows(part, path, above, depth + 1)
        required = found.get("required", ())
        for name, inner in found.get("properties", {}).items():
            place = f"{path}.{name}" if path else name
            yield Property(
                path=place,
                kind=self.kind(inner),
                required=name in required,
                meaning=self.meaning(inner),
                limits=tuple(self._limits(self.resolved(inner))),
            )
            yield from self._rows(inner, place, above, depth + 1)

    def kind(self, schema: Any) -> str:
        """A schema's type in a few words."""
        found = self.resolved(schema)
        if "const" in found:
            return f"= {found['const']}"
        if "enum" in found:
            return " | ".join(str(value) for value in found["enum"] if value is not None)
        for name in ("oneOf", "anyOf", "allOf"):
            if name in found:
                return " | ".join(dict.fromkeys(self.kind(part) for part in found[name]))
        kind = found.get("type", "object" if "properties" in found else "any")
        kinds = kind if isinstance(kind, list) else [kind]
        said = " | ".join(map(str, kinds))
        if "array" in kinds:
            said = said.replace("array", f"array<{self.kind(found.get('items', {}))}>")
        form = found.get("format")
        return f"{said} ({form})" if form else said

    def _limits(self, schema: dict[str, Any]) -> Iterator[str]:
        for name, text in _LIMITS:
            if name in schema:
                yield text.format(schema[name], **_COUNTED[self._language])
