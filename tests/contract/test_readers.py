"""Producers and consumers agree: what is read exists, and every example of it can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from marshmallow import EXCLUDE, Schema, ValidationError, fields

from employer_auth.handlers import SNAPSHOTS
from servicekit.inbox import Subscriptions


def known_facts(contracts: Any, apps: Any) -> dict[str, Any]:
    """Every announced fact by its type."""
    return {fact.type: fact for app in apps.values() for fact in contracts.facts_of(app)}


def disagreements(subscriptions: Subscriptions, facts: dict[str, Any]) -> Iterator[str]:
    """What one reader expects and nobody says."""
    for heard in subscriptions:
        wanted = [kind for kind, fact in facts.items() if is_heard(heard, kind, fact)]
        if not wanted:
            yield f"{heard.event_type or heard.business} is announced by nobody"
        for kind in wanted:
            if not facts[kind].examples:
                yield f"{kind} has no example"
            for example in facts[kind].examples:
                try:
                    heard.reads(unknown=EXCLUDE).load(dict(example))
                except ValidationError as error:
                    yield f"{kind}: {heard.reads.__name__} cannot read {sorted(error.messages)}"


def is_heard(heard: Any, kind: str, fact: Any) -> bool:
    """Does this subscription receive this fact?"""
    if heard.stream != fact.stream:
        return False
    if heard.event_type is not None:
        return bool(heard.event_type == kind)
    return heard.business in ("*", kind.rsplit(".", 2)[0])


@pytest.mark.req("EV-02")
def test_every_reader_can_read_what_is_said(contracts: Any, apps: Any) -> None:
    facts = known_facts(contracts, apps)
    wrong = {
        name: list(disagreements(app.service.subscriptions, facts)) for name, app in apps.items()
    }
    assert {name: found for name, found in wrong.items() if found} == {}
    assert any(len(app.service.subscriptions) for app in apps.values())


@pytest.mark.req("EV-02")
def test_every_fact_has_an_example_that_its_schema_writes(contracts: Any, apps: Any) -> None:
    for kind, fact in known_facts(contracts, apps).items():
        assert fact.examples, f"{kind} has no example"
        for example in fact.examples:
            assert fact.schema().validate(dict(example)) == {}, kind


@pytest.mark.req("EV-02")
def test_every_past_that_is_read_is_listed_and_every_example_of_it_can_be_read(
    committed: Callable[[str], Any],
) -> None:
    for past in SNAPSHOTS:
        teller = past.matter.partition(".")[0]
        operation = committed(f"openapi/{teller}.json")["paths"][past.path]["get"]
        content = operation["responses"]["200"]["content"]["application/json"]
        items = content["example"]["items"]
        assert items
        for item in items:
            assert past.read(item["state"])
            assert set(item) == {"subject", "sequence", "state"}


def test_a_reader_of_something_else_is_found(contracts: Any, apps: Any) -> None:
    class Account(Schema):
        account_id = fields.Str(required=True)
        colour = fields.Str(required=True)

    heard = Subscriptions("recruitment")
    heard.on("identity.account.verified.v1", reads=Account)(lambda db, value, envelope: None)
    heard.on("identity.account.painted.v1", reads=Account)(lambda db, value, envelope: None)
    heard.on_application("nobody.nothing", reads=Account)(lambda db, value, envelope: None)
    assert list(disagreements(heard, known_facts(contracts, apps))) == [
        "identity.account.verified.v1: Account cannot read ['colour']",
        "identity.account.painted.v1 is announced by nobody",
        "nobody.nothing is announced by nobody",
    ]
