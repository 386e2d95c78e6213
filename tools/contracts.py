"""Write `contracts/` from the code: OpenAPI, event schemas, AsyncAPI, workflow diagrams.

    make contracts                          # write
    python tools/contracts.py --check       # say what is stale or lacks a language, and fail

Services are found by their entry points and built without a database; outsiders read only the
files. The events' schemas are of the payload; the envelope round it is in the AsyncAPI document.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from servicekit.facts import Fact, application_facts
from servicekit.testing.languages import gaps
from servicekit.testing.settings import sample_settings
from servicekit.web.app import ServiceApp
from servicekit.web.openapi import document

FOLDER = Path(__file__).resolve().parents[1] / "contracts"
SAID_BY = "make contracts"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
PREFIX = "cn.gov.gdhrss"
EXCHANGE = "jiuye.events"

JSON = dict[str, Any]


def build_all() -> dict[str, ServiceApp]:
    """Every installed service, by name, put together with made-up settings."""
    apps = {}
    for entry in sorted(entry_points(group="suite.services"), key=lambda e: e.name):
        package = entry.module.partition(".")[0]
        settings = importlib.import_module(f"{package}.settings").Settings
        prefix = entry.name.replace("-", "_").upper()
        apps[entry.name] = entry.load()(sample_settings(settings, prefix))
    return apps


def render(apps: Mapping[str, ServiceApp]) -> dict[str, str]:
    """Every file of the folder by its path, as text."""
    files: dict[str, str] = {}
    for name, app in apps.items():
        files[f"openapi/{name}.json"] = _text(document(app))
        for fact in facts_of(app):
            files[event_path(fact.type)] = _text(event_schema(fact))
        if app.service.workflows:
            files[f"workflows/{name}.md"] = _workflows(app)
    files["asyncapi.json"] = _text(asyncapi(apps))
    return files


def facts_of(app: ServiceApp) -> Iterator[Fact]:
    """Everything a service announces: its own facts, and the states of its applications.

    In the order of their types: what declares them is imported in many orders.
    """
    states = (fact for each in app.service.workflows for fact in application_facts(each))
    yield from sorted((*app.service.facts, *states), key=lambda fact: fact.type)


def event_path(kind: str) -> str:
    """``identity.account.verified.v1`` stands in ``events/identity/account.verified.v1.json``."""
    service, _, rest = kind.partition(".")
    return f"events/{service}/{rest}.json"


def event_schema(fact: Fact) -> JSON:
    """The payload's JSON Schema; readers ignore what they do not know, so it is open."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:jiuye:event:{fact.type}",
        "x-generated-by": SAID_BY,
        "title": fact.type,
        "description": fact.sentence,
        **_json_schema(fact.schema),
        "examples": [dict(example) for example in fact.examples],
    }


def asyncapi(apps: Mapping[str, ServiceApp]) -> JSON:
    """Who says what and who hears what, on which routing key (AsyncAPI 3.0)."""
    channels: JSON = {}
    operations: JSON = {}
    for name, app in apps.items():
        for fact in facts_of(app):
            channels[fact.type] = _channel(fact)
            operations[f"{name}.says.{fact.type}"] = _operation("send", fact.type)
    for name, app in apps.items():
        for heard in app.service.subscriptions:
            for kind in sorted(channels):
                if heard.event_type == kind or _is_state(channels[kind], kind, heard.business):
                    operations[f"{name}.hears.{kind}"] = _operation("receive", kind)
    return {
        "asyncapi": "3.0.0",
        "x-generated-by": SAID_BY,
        "info": {
            "title": "就业服务套件事件 (events of the suite)",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in JSON, structured mode, over RabbitMQ. The events of "
            "one subject and stream are numbered without gaps by `sequence`; a reader applies "
            "number n after n−1. No event carries names, numbers or addresses of persons.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": {"Envelope": _envelope()}},
    }


def stale(folder: Path, files: Mapping[str, str]) -> list[str]:
    """What differs between the folder and what the code says; empty when it is fresh."""
    problems = []
    for path, text in files.items():
        found = folder / path
        if not found.exists():
            problems.append(f"{path} is missing")
        elif found.read_text("utf-8") != text:
            problems.append(f"{path} is stale")
    known = {folder / path for path in files}
    problems += [
        f"{p.relative_to(folder)} is not written any more" for p in written(folder) - known
    ]
    return sorted(problems)


def written(folder: Path) -> set[Path]:
    """The generated files in the folder; others may stand beside them."""
    found = [*folder.glob("openapi/*"), *folder.glob("events/*/*"), *folder.glob("workflows/*")]
    return {path for path in [*found, folder / "asyncapi.json"] if path.is_file()}


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Make the folder say what the code says."""
    for left in written(folder) - {folder / path for path in files}:
        left.unlink()
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write, or check. Returns: 1 when something is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    apps = build_all()
    files = render(apps)
    if not options.check:
        write(options.folder, files)
        print(f"{len(files)} contracts written")
        return 0
    problems = stale(options.folder, files)
    problems += ["run `make contracts`"] if problems else []
    problems += gaps(apps.values())
    print("\n".join(problems or ["contracts are fresh, in both languages"]))
    return 1 if problems else 0


def _json_schema(schema: type[Schema]) -> JSON:
    # Nested schemas stand inside: a file says everything by itself.
    plugin = MarshmallowPlugin(schema_name_resolver=_no_name)
    APISpec("events", "1", "3.1.0", plugins=[plugin])
    assert plugin.converter is not None
    found: JSON = plugin.converter.schema2jsonschema(schema())  # type: ignore[no-untyped-call]
    _open(found)
    return found


def _no_name(_: Any) -> str:
    return ""


def _open(part: Any) -> None:
    if isinstance(part, dict):
        part.pop("additionalProperties", None)
        for inner in part.values():
            _open(inner)


def _channel(fact: Fact) -> JSON:
    kind = fact.type
    message = {
        "name": f"{PREFIX}.{kind}",
        "title": kind,
        "summary": fact.sentence,
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": f"{PREFIX}.{kind}"},
                        "stream": {"const": fact.stream},
                        "data": {"$ref": f"./{event_path(kind)}"},
                    },
                },
            ]
        },
    }
    exchange = {"name": EXCHANGE, "type": "topic", "durable": True}
    return {
        "address": f"{fact.stream}.{kind}",
        "messages": {"event": message},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange}},
    }


def _operation(action: str, kind: str) -> JSON:
    channel = f"#/channels/{kind}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/event"}],
    }


def _is_state(channel: JSON, kind: str, business: str | None) -> bool:
    of_application = channel["address"].startswith("application.")
    return of_application and business in ("*", kind.rsplit(".", 2)[0])


def _envelope() -> JSON:
    text, moment = {"type": "string"}, {"type": "string", "format": "date-time"}
    digits = {"type": "string", "pattern": "^[1-9][0-9]*$"}
    properties: JSON = {
        "specversion": {"const": "1.0"},
        "id": {**text, "description": "UUIDv7; a repetition has the same."},
        "source": {**text, "description": "The service."},
        "type": {**text, "description": f"{PREFIX}.<service>.<matter>.<fact>.v<N>"},
        "subject": {**text, "description": "Id of what the fact is about."},
        "time": moment,
        "datacontenttype": {"const": "application/json"},
        "dataschema": {**text, "description": "urn:jiuye:event:<type>, the $id of a file here."},
        "stream": {"enum": ["application", "fact"]},
        "sequence": {**digits, "description": "Counted per source, matter, stream and subject."},
        "precededat": {**moment, "description": "Time of number n−1; absent at 1."},
        "traceparent": {**text, "description": "W3C Trace Context."},
        "data": {"type": "object"},
    }
    optional = {"precededat", "traceparent"}
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _workflows(app: ServiceApp) -> str:
    head = f"<!-- x-generated-by: {SAID_BY} -->\n# {app.service.title} ({app.service.name})\n"
    parts = [
        f"## {workflow.name}\n\n```mermaid\n{workflow.as_mermaid()}\n```\n"
        for workflow in app.service.workflows
    ]
    return "\n".join([head, *parts])


def _text(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
