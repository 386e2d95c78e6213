"""What would break somebody who relied on the contracts as they were at the last release?

    python tools/compatibility.py OLD_FOLDER NEW_FOLDER

One comparison serves both directions. What is *sent* to us must still be accepted: nothing newly
required, nothing narrowed or removed. What is *shown* must still be what readers know: nothing
removed, nothing that may newly be absent, null or of another kind.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JSON = Mapping[str, Any]

METHODS = ("get", "put", "post", "delete", "patch")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
EXACT = ("pattern", "format", "const", "multipleOf")
EVERY_TYPE = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


@dataclass(frozen=True)
class Side:
    """A document and the way to its definitions."""

    root: JSON

    def of(self, schema: Any) -> JSON:
        """The schema itself, with references followed and a nullable choice laid flat."""
        seen: set[str] = set()
        while isinstance(schema, dict):
            if "$ref" in schema and schema["$ref"] not in seen:
                seen.add(schema["$ref"])
                schema = self._follow(schema["$ref"])
            elif len(schema.get("allOf", ())) == 1:
                schema = {**self.of(schema["allOf"][0]), **_without(schema, "allOf")}
            elif len(_real(schema)) == 1:
                inner = self.of(_real(schema)[0])
                schema = {**inner, "type": [*sorted(_types(inner)), "null"]}
            else:
                return schema
        return {}

    def _follow(self, reference: str) -> Any:
        part: Any = self.root
        for step in reference.removeprefix("#/").split("/"):
            part = part[step.replace("~1", "/").replace("~0", "~")]
        return part


def compare_openapi(old: JSON, new: JSON) -> list[str]:
    """Every way in which the new API breaks a client of the old one."""
    return list(_Comparison(Side(old), Side(new)).paths())


def compare_event(old: JSON, new: JSON) -> list[str]:
    """Every way in which the new event breaks a reader of the old one."""
    return list(_Comparison(Side(old), Side(new)).schemas(old, new, sent=False, where="data"))


def compare_folders(old: Path, new: Path) -> list[str]:
    """Every break between two states of ``contracts/``."""
    breaks = []
    for path in sorted([*old.glob("openapi/*.json"), *old.glob("events/*/*.json")]):
        name = path.relative_to(old)
        if not (new / name).exists():
            breaks.append(f"{name}: removed")
            continue
        compare = compare_openapi if name.parts[0] == "openapi" else compare_event
        found = compare(_read(path), _read(new / name))
        breaks += [f"{name}: {line}" for line in found]
    return breaks


@dataclass(frozen=True)
class _Comparison:
    old: Side
    new: Side

    def paths(self) -> Iterator[str]:
        for path, before in self.old.root.get("paths", {}).items():
            after = self.new.root.get("paths", {}).get(path)
            if after is None:
                yield f"{path} was removed"
                continue
            for method in METHODS:
                if method in before and method not in after:
                    yield f"{method.upper()} {path} was removed"
                elif method in before:
                    where = f"{method.upper()} {path}"
                    yield from self._operation(before[method], after[method], where)

    def _operation(self, before: JSON, after: JSON, where: str) -> Iterator[str]:
        if before.get("operationId") != after.get("operationId"):
            yield f"{where}: operationId changed"
        yield from _security(before, after, where)
        yield from self._parameters(before, after, where)
        yield from self._request(before, after, where)
        for status, answer in before.get("responses", {}).items():
            if not status.startswith("2"):
                continue
            if status not in after.get("responses", {}):
                yield f"{where}: response {status} was removed"
                continue
            told = self.new.of(after["responses"][status])
            yield from self._contents(
                self.old.of(answer), told, sent=False, where=f"{where} {status}"
            )

    def _parameters(self, before: JSON, after: JSON, where: str) -> Iterator[str]:
        known, now = self._named(self.old, before), self._named(self.new, after)
        for key, parameter in known.items():
            place = f"{where}: {key[0]} parameter {key[1]}"
            if key not in now:
                yield f"{place} was removed"
                continue
            if now[key].get("required") and not parameter.get("required"):
                yield f"{place} became required"
            old, new = parameter.get("schema", {}), now[key].get("schema", {})
            yield from self.schemas(old, new, sent=True, where=place)
        for key, parameter in now.items():
            if key not in known and parameter.get("required"):
                yield f"{where}: {key[0]} parameter {key[1]} is new and required"

    @staticmethod
    def _named(side: Side, operation: JSON) -> dict[tuple[str, str], JSON]:
        found = [side.of(parameter) for parameter in operation.get("parameters", ())]
        return {(parameter["in"], parameter["name"]): parameter for parameter in found}

    def _request(self, before: JSON, after: JSON, where: str) -> Iterator[str]:
        old, new = self.old.of(before.get("requestBody")), self.new.of(after.get("requestBody"))
        if new.get("required") and not old.get("required"):
            yield f"{where}: a body became required"
        if old and not new:
            yield f"{where}: the body was removed"
        else:
            yield from self._contents(old, new, sent=True, where=f"{where} body")

    def _contents(self, old: JSON, new: JSON, *, sent: bool, where: str) -> Iterator[str]:
        for kind, content in old.get("content", {}).items():
            if kind not in new.get("content", {}):
                yield f"{where}: content type {kind} was removed"
                continue
            now = new["content"][kind].get("schema", {})
            yield from self.schemas(content.get("schema", {}), now, sent=sent, where=where)

    def schemas(
        self,
        before: Any,
        after: Any,
        *,
        sent: bool,
        where: str,
        seen: frozenset[tuple[int, int]] = frozenset(),
    ) -> Iterator[str]:
        old, new = self.old.of(before), self.new.of(after)
        if (id(old), id(new)) in seen:
            return  # a schema inside itself
        seen |= {(id(old), id(new))}
        yield from _kinds(old, new, sent=sent, where=where)
        if sent:
            yield from _bounds(old, new, where)
        yield from self._properties(old, new, sent=sent, where=where, seen=seen)
        if "items" in old or "items" in new:
            before, after = old.get("items", {}), new.get("items", {})
            yield from self.schemas(before, after, sent=sent, where=f"{where}[]", seen=seen)
        for word in ("oneOf", "anyOf", "allOf"):
            if old.get(word) != new.get(word):
                yield f"{where}: {word} changed"

    def _properties(
        self, old: JSON, new: JSON, *, sent: bool, where: str, seen: frozenset[tuple[int, int]]
    ) -> Iterator[str]:
        known, now = old.get("properties", {}), new.get("properties", {})
        needed, needed_now = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in known.items():
            place = f"{where}.{name}"
            if name not in now:
                yield f"{place} was removed"
                continue
            if sent and name in needed_now - needed:
                yield f"{place} became required"
            if not sent and name in needed - needed_now:
                yield f"{place} may now be absent"
            yield from self.schemas(schema, now[name], sent=sent, where=place, seen=seen)
        if sent:
            for name in sorted(needed_now - known.keys()):
                yield f"{where}.{name} is new and required"
            if new.get("additionalProperties") is False and "additionalProperties" not in old:
                yield f"{where}: unknown fields are now refused"


def _kinds(old: JSON, new: JSON, *, sent: bool, where: str) -> Iterator[str]:
    before, after = _types(old), _types(new)
    gone, added = sorted(before - after), sorted(after - before)
    if sent and gone:
        yield f"{where}: {', '.join(gone)} is not accepted any more"
    if not sent and added:
        yield f"{where}: may now be {', '.join(added)}"
    values, values_now = old.get("enum"), new.get("enum")
    if sent and values_now is not None and (lost := _missing(values, values_now)):
        yield f"{where}: {lost} is not accepted any more"
    if not sent and values is not None and (more := _missing(values_now, values)):
        yield f"{where}: may now be {more}"
    for word in EXACT:
        if old.get(word) != new.get(word) and (word in new if sent else word in old):
            yield f"{where}: {word} changed"


def _bounds(old: JSON, new: JSON, where: str) -> Iterator[str]:
    for word in LOWER:
        if word in new and (word not in old or new[word] > old[word]):
            yield f"{where}: {word} was raised to {new[word]}"
    for word in UPPER:
        if word in new and (word not in old or new[word] < old[word]):
            yield f"{where}: {word} was lowered to {new[word]}"
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        yield f"{where}: items must now be unlike"


def _security(before: JSON, after: JSON, where: str) -> Iterator[str]:
    if not before.get("security") and after.get("security"):
        yield f"{where}: now needs a token"
    old, new = before.get("x-access"), after.get("x-access")
    if not old or not new:
        return
    for word in ("roles", "kinds"):
        if lost := sorted(set(old[word]) - set(new[word])):
            yield f"{where}: {word} {', '.join(lost)} may not any more"
    if new["level"] > old["level"]:
        yield f"{where}: needs level {new['level']} now"
    if new["business"] not in (None, old["business"]):
        yield f"{where}: needs business {new['business']} now"


def _types(schema: JSON) -> frozenset[str]:
    named = schema.get("type")
    if named is None:
        return EVERY_TYPE
    found = frozenset([named] if isinstance(named, str) else named)
    return found | {"integer"} if "number" in found else found


def _missing(wanted: Iterable[Any] | None, among: Iterable[Any]) -> str:
    known = list(among)
    if wanted is None:
        return "any other value"
    return ", ".join(str(value) for value in wanted if value not in known)


def _real(schema: JSON) -> list[Any]:
    choices = schema.get("anyOf") or schema.get("oneOf") or []
    real = [choice for choice in choices if choice != {"type": "null"}]
    return real if len(real) < len(choices) else []


def _without(schema: JSON, word: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != word}


def _read(path: Path) -> JSON:
    found: JSON = json.loads(path.read_text("utf-8"))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two folders. Returns: 1 when something breaks."""
    old, new = (Path(name) for name in (sys.argv[1:] if arguments is None else arguments))
    breaks = compare_folders(old, new)
    print("\n".join(breaks) or "nothing breaks")
    return 1 if breaks else 0


if __name__ == "__main__":
    sys.exit(main())
