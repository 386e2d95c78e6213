"""A fact is what its schema says, or it is not announced."""

from datetime import UTC, date, datetime

import pytest
from marshmallow import Schema, fields

from servicekit.facts import ApplicationMovedSchema, BadFact, Facts, application_facts

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


class Verified(Schema):
    """The person's level rose.

    More about it.
    """

    level = fields.Int(required=True, strict=True)
    since = fields.Date()


@pytest.fixture
def facts():
    facts = Facts("identity")
    facts.fact("account.verified", v=1, example={"level": 2})(Verified)
    return facts


def test_a_fact_becomes_an_event_with_its_full_type_and_json_values(facts):
    event = facts.of(Verified, subject="p1", now=NOW, level=2, since=date(2026, 3, 2))
    assert event.type == "identity.account.verified.v1"
    assert (event.subject, event.time, event.stream) == ("p1", NOW, "fact")
    assert event.data == {"level": 2, "since": "2026-03-02"}


@pytest.mark.parametrize(
    "values",
    [{}, {"level": "two"}, {"level": 2, "since": "2026-03-02"}, {"level": 2, "phone": "139"}],
)
def test_values_that_do_not_fit_are_refused_by_name_and_not_quoted(facts, values):
    with pytest.raises(BadFact) as refused:
        facts.of(Verified, subject="p1", now=NOW, **values)
    assert "139" not in str(refused.value)
    assert "two" not in str(refused.value)


def test_a_schema_of_another_service_is_no_fact(facts):
    with pytest.raises(BadFact, match="not a fact of identity"):
        facts.of(ApplicationMovedSchema, subject="p1", now=NOW)


def test_facts_are_declared_once_with_a_sentence_and_a_proper_name(facts):
    with pytest.raises(ValueError, match="twice"):
        facts.fact("account.verified", v=1)(type("Other", (Schema,), {"__doc__": "Other."}))
    with pytest.raises(ValueError, match="sentence"):
        facts.fact("account.locked", v=1)(type("Silent", (Schema,), {}))
    for name in ("verified", "Account.verified", "account.verified.again"):
        with pytest.raises(ValueError, match="is not"):
            facts.fact(name, v=1)(type("Bad", (Schema,), {"__doc__": "Bad."}))


def test_the_contract_reads_what_was_declared(facts):
    [fact] = facts
    assert fact.type == "identity.account.verified.v1"
    assert fact.sentence == "The person's level rose."
    assert fact.examples == ({"level": 2},)


def test_every_state_of_a_workflow_is_a_fact_with_a_valid_example(room):
    found = {fact.type: fact for fact in application_facts(room.workflow)}
    assert "kit.paper.approved.v1" in found
    assert {fact.stream for fact in found.values()} == {"application"}
    for fact in found.values():
        for example in fact.examples:
            assert fact.schema().validate(example) == {}
