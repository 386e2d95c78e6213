"""Makes one OpenAPI document of many: equal components once, other names told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Document = dict[str, Any]

TITLE: Final = "广东公共就业服务 API"
DESCRIPTION: Final = (
    "全部服务的接口，由网关从各服务自己的说明合并而成。错误以 RFC 9457 problem+json 返回。\n\n"
    "The interfaces of every service, put together by the gateway from the services' own"
    " descriptions. Errors are RFC 9457 problem documents."
)
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_COMPONENTS: Final = "#/components/"


def merge(documents: Mapping[str, Document], public_url: str, missing: tuple[str, ...]) -> Document:
    """One document.

    Args:
        documents: the services' own, by service.
        public_url: where people reach the gateway.
        missing: services whose description could not be had.
    """
    components, names = _components(documents)
    merged: Document = {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "v1", "description": DESCRIPTION},
        "servers": [{"url": public_url}],
        "tags": [],
        "x-tagGroups": [],
        "paths": {},
        "components": components,
    }
    if missing:
        merged["x-missing"] = list(missing)
    for service, document in documents.items():
        renamed = _rename(document, names[service])
        group = [_tag(service, tag["name"]) for tag in renamed.get("tags", ())]
        title = str(document.get("info", {}).get("title", service))
        merged["x-tagGroups"].append({"name": title, "tags": group, "x-service": service})
        merged["tags"] += [
            {**tag, "name": name, "x-displayName": tag.get("description", tag["name"])}
            for tag, name in zip(renamed.get("tags", ()), group, strict=True)
        ]
        for path, item in renamed.get("paths", {}).items():
            if path not in merged["paths"]:  # the first to describe a path is the one that has it
                merged["paths"][path] = _item(service, item)
    return merged


def _item(service: str, item: Document) -> Document:
    """One path with its operations named for the whole suite."""
    found = dict(item)
    for method in _METHODS:
        if method not in item:
            continue
        operation = dict(item[method])
        if "operationId" in operation:
            operation["operationId"] = _camel(service) + _first_up(operation["operationId"])
        operation["tags"] = [_tag(service, tag) for tag in operation.get("tags", ())]
        operation["x-service"] = service
        found[method] = operation
    return found


def _components(
    documents: Mapping[str, Document],
) -> tuple[Document, dict[str, dict[str, str]]]:
    """All components, and for each service the references that change."""
    by_place: dict[str, list[tuple[str, Any]]] = {}
    for service, document in documents.items():
        for kind, name, content in _each(document):
            by_place.setdefault(f"{_COMPONENTS}{kind}/{name}", []).append((service, content))
    renames: dict[str, dict[str, str]] = {service: {} for service in documents}
    for place in _told_apart(by_place):
        start, _, name = place.rpartition("/")
        for service, _ in by_place[place]:
            renames[service][place] = f"{start}/{_first_up(_camel(service))}{name}"
    components: Document = {}
    for service, document in documents.items():
        for kind, name, content in _each(document):
            place = f"{_COMPONENTS}{kind}/{name}"
            final = renames[service].get(place, place).rpartition("/")[2]
            components.setdefault(kind, {})[final] = _rename(content, renames[service])
    return components, renames


def _told_apart(by_place: Mapping[str, list[tuple[str, Any]]]) -> set[str]:
    """Names that mean different things to different services, themselves or by what they name."""
    several = {place: found for place, found in by_place.items() if len(found) > 1}
    apart = {p for p, found in several.items() if any(c != found[0][1] for _, c in found)}
    while more := {
        place
        for place, found in several.items()
        if place not in apart and apart & set(_references(found[0][1]))
    }:
        apart |= more
    return apart


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref" and isinstance(inner, str):
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _each(document: Document) -> Iterator[tuple[str, str, Any]]:
    for kind, entries in document.get("components", {}).items():
        for name, content in entries.items():
            yield kind, name, content


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    """A copy in which references go where the components went."""
    if isinstance(value, dict):
        return {
            key: names.get(inner, inner)
            if key == "$ref" and isinstance(inner, str)
            else _rename(inner, names)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_rename(inner, names) for inner in value]
    return value


def _tag(service: str, tag: str) -> str:
    return f"{service}/{tag}"


def _camel(service: str) -> str:
    return re.sub(r"-(\w)", lambda found: found[1].upper(), service)


def _first_up(name: str) -> str:
    return name[:1].upper() + name[1:]
