"""The facts a service announces: each is a schema class, and the class is the contract.

A service writes in its ``events.py``::

    FACTS = Facts("identity")

    @FACTS.fact("account.verified", v=1, example={"account_id": "…", "level": 2})
    class AccountVerified(Schema):
        \"\"\"The person's level of trust rose.\"\"\"

and announces with ``announce(db, FACTS.of(AccountVerified, subject=account.id, now=now, …))``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from servicekit.outbox import APPLICATION, FACT, Event, check_type
from servicekit.workflow import Workflow

AnySchema: TypeAlias = type[Schema]
SchemaClass = TypeVar("SchemaClass", bound=AnySchema)


class BadFact(ValueError):
    """The values do not make the fact that was declared."""


class Unreadable(Exception):
    """An event lacks what its reader needs; names the fields, never their values."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One announced fact: its full type, its payload's schema and examples that are valid."""

    type: str
    schema: AnySchema
    stream: str = FACT
    examples: tuple[Mapping[str, Any], ...] = ()

    @property
    def sentence(self) -> str:
        """What the fact says, for the contract: the first line of the schema's docstring."""
        return (self.schema.__doc__ or "").strip().partition("\n")[0]


class ApplicationMovedSchema(Schema):
    """An application of any matter came into a new state.

    ``acted_by`` is the person who did it for the unit, ``acted_via`` the agency between them.
    """

    applicant_id = fields.Str(required=True)
    number = fields.Str(required=True, allow_none=True)
    business = fields.Str(required=True)
    region = fields.Str(required=True, allow_none=True)
    move = fields.Str(required=True)
    before = fields.Str(required=True, allow_none=True)
    after = fields.Str(required=True)
    acted_by = fields.Str()
    acted_via = fields.Str()


class HistoryHeadSchema(Schema):
    """The newest entry of one chain."""

    lane = fields.Int(required=True, strict=True)
    position = fields.Int(required=True, strict=True)
    hash = fields.Str(required=True)


class HistoryCheckpointedSchema(Schema):
    """A service signed the heads of its history, so that cutting it off is noticed."""

    at = fields.Str(required=True)
    heads = fields.List(fields.Nested(HistoryHeadSchema), required=True)
    key_id = fields.Str(required=True)
    signature = fields.Str(required=True)


class Facts:
    """Everything one service announces beyond the states of its applications.

    Args:
        service: the folder name; it opens every type, ``identity.account.verified.v1``.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self._by_schema: dict[type[Schema], Fact] = {}

    def fact(
        self, name: str, *, v: int, example: Mapping[str, Any] | None = None
    ) -> Callable[[SchemaClass], SchemaClass]:
        """Declare ``<matter>.<fact>``; a changed meaning is a new ``v`` beside the old one."""

        def register(schema: SchemaClass) -> SchemaClass:
            full = check_type(f"{self.service}.{name}.v{v}")
            if schema in self._by_schema or full in {f.type for f in self}:
                raise ValueError(f"{full} is declared twice")
            if not (schema.__doc__ or "").strip():
                raise ValueError(f"{full}: say in one sentence what the fact means")
            examples = () if example is None else (example,)
            self._by_schema[schema] = Fact(full, schema, FACT, examples)
            return schema

        return register

    def of(self, schema: type[Schema], *, subject: str, now: datetime, **values: Any) -> Event:
        """Build the event, checked against its own contract.

        Args:
            schema: a class declared with :meth:`fact`.
            subject: id of what the fact is about; its facts are told in order.
            now: when it became true.
            values: the payload, as Python values; the schema writes them as JSON.

        Raises:
            BadFact: a value is missing, surplus or of the wrong kind.
        """
        declared = self._by_schema.get(schema)
        if declared is None:
            raise BadFact(f"{schema.__name__} is not a fact of {self.service}")
        return Event(declared.type, subject, now, payload(schema, values))

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._by_schema.values())


def payload(schema: type[Schema], values: Mapping[str, Any]) -> dict[str, Any]:
    """Write values through a schema and read them back: what leaves is what the contract says.

    Raises:
        BadFact: names of fields only, never the values.
    """
    writer = schema()
    if surplus := set(values) - set(writer.dump_fields):
        raise BadFact(f"{schema.__name__} has no {', '.join(sorted(surplus))}")
    try:
        data: dict[str, Any] = writer.dump(values)
        wrong = writer.validate(data)
    except (TypeError, ValueError, AttributeError) as error:
        raise BadFact(f"{schema.__name__}: a value is of the wrong kind") from error
    if wrong:
        raise BadFact(f"{schema.__name__}: {', '.join(sorted(map(str, wrong)))} wrong or missing")
    return data


def reader(schema: AnySchema) -> Callable[[Mapping[str, Any]], Any]:
    """What reads a payload through a schema and passes over what the schema does not name.

    Raises:
        Unreadable: when it is called with a payload that does not fit.
    """
    tolerant = schema(unknown=EXCLUDE)

    def read(data: Mapping[str, Any]) -> Any:
        try:
            return tolerant.load(data)
        except ValidationError as error:
            names = ", ".join(sorted(map(str, error.messages_dict)))
            raise Unreadable(f"{names} wrong or missing") from None

    return read


def application_facts(workflow: Workflow[Any]) -> list[Fact]:
    """The facts ``advance`` announces for a matter: one per state, one payload for all."""
    example = {
        "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "number": None,
        "business": workflow.name,
        "region": "440106",
    }
    facts = []
    steps = [m for m in workflow.moves if m.target not in m.sources]  # the others tell nobody
    for state in sorted({str(m.target) for m in steps}):
        into = next(m for m in steps if str(m.target) == state)
        step = {"move": into.name, "before": str(min(into.sources)), "after": state}
        kind = check_type(f"{workflow.name}.{state}.v1")
        facts.append(Fact(kind, ApplicationMovedSchema, APPLICATION, ({**example, **step},)))
    return facts


def standard_facts(service: str) -> list[Fact]:
    """The facts the kit announces for every service (``servicekit.history``)."""
    example = {
        "at": "2026-03-02T01:30:00.000000+00:00",
        "heads": [{"lane": 0, "position": 12, "hash": "0" * 64}],
        "key_id": "0123456789abcdef",
        "signature": "c2lnbmVk",
    }
    kind = check_type(f"{service}.history.checkpointed.v1")
    return [Fact(kind, HistoryCheckpointedSchema, FACT, (example,))]
