"""The JSON of officers who work together: lines of a queue, questions and answers, batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from servicekit.claims import Decision
from servicekit.teamwork.reviews import TeamFilters
from servicekit.teamwork.rules import MOST_ASKED, MOST_AT_ONCE, Answer, OpinionKind
from servicekit.web.api import MAX_NOTE, ProblemSchema
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.reviewing import MAX_REASON, QueueFiltersSchema, QueueLineSchema
from servicekit.web.wording import Told

_WORDS: Final = [validate.Length(1, MAX_REASON), NOT_BLANK]
_OFFICER: Final = validate.Length(1, 80)
EXAMPLE_LINE: Final = {"assigned_to": None, "awaited": 0, "urged_times": 0, "urged_on": None}


class TeamLineSchema(QueueLineSchema):
    """What stands in every line of the queue of officers who work together."""

    assigned_to = fields.Str(
        allow_none=True, required=True, metadata={"description": "转办给的经办人员"}
    )
    awaited = fields.Int(
        required=True, metadata={"description": "Opinions an approval waits for (待加签、会签数)."}
    )
    urged_times = fields.Int(required=True, metadata={"description": "催办次数"})
    urged_on = fields.Date(allow_none=True, required=True)


class TeamFiltersSchema(QueueFiltersSchema):
    """What an officer narrows the queue by, with what colleagues and applicants ask for."""

    loads = TeamFilters
    asked = fields.Bool(load_default=False, metadata={"description": "待我答复的加签、会签"})
    assigned = fields.Bool(load_default=False, metadata={"description": "转办给我的"})
    urged = fields.Bool(load_default=False, metadata={"description": "被催办的"})


class TransferSchema(Schema):
    """转办: to whom, and why; the reason stays with the officers."""

    officer_id = fields.Str(required=True, validate=_OFFICER)
    reason = fields.Str(required=True, validate=_WORDS)


class AskingSchema(Schema):
    """加签 (advice) of one or several colleagues, or 会签 (joint), where all must agree."""

    kind = fields.Enum(OpinionKind, by_value=True, required=True)
    officers = fields.List(
        fields.Str(validate=_OFFICER), required=True, validate=validate.Length(1, MOST_ASKED)
    )
    question = fields.Str(required=True, validate=_WORDS)


class AnswerSchema(Schema):
    """What a colleague says."""

    answer = fields.Enum(Answer, by_value=True, required=True)
    words = fields.Str(load_default=None, validate=_WORDS)


class OpinionSchema(Schema):
    """One question and, when it came, the answer."""

    id = fields.Str(required=True)
    kind = fields.Enum(OpinionKind, by_value=True, required=True)
    asked_by = fields.Str(required=True)
    asked_of = fields.Str(required=True)
    asked_at = fields.AwareDateTime(required=True)
    question = fields.Str(required=True)
    answer = fields.Enum(Answer, by_value=True, allow_none=True, required=True)
    words = fields.Str(attribute="said", allow_none=True, required=True)
    answered_at = fields.AwareDateTime(allow_none=True, required=True)
    ended_at = fields.AwareDateTime(allow_none=True, required=True)


class BatchItemSchema(Schema):
    """One application, and optionally the version the officer saw."""

    id = fields.Str(required=True, validate=validate.Length(1, 36))
    version = fields.Int(load_default=None, validate=validate.Range(1))


class _Problem(fields.Nested):
    """The problem document as it was written."""

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **kwargs: Any) -> Any:
        """The members that the schema does not name are told too."""
        return self.get_value(obj, attr, accessor)


class BatchResultSchema(Schema):
    """What became of one application of a batch: how it stands now, or why not."""

    id = fields.Str(required=True)
    done = fields.Bool(required=True)
    state = fields.Str(allow_none=True, required=True)
    version = fields.Int(allow_none=True, required=True)
    problem = _Problem(ProblemSchema, allow_none=True, required=True)


class BatchAnswerSchema(Schema):
    """One result per application, in the order in which they were given."""

    done = fields.Int(required=True)
    refused = fields.Int(required=True)
    results = fields.List(fields.Nested(BatchResultSchema), required=True)


@dataclass(frozen=True, slots=True)
class Batch:
    """The same move for many applications; ``items`` are ids and versions seen."""

    move: str
    items: tuple[tuple[str, int | None], ...]
    note: str | None
    decision: Decision | None


def batch_schema(name: str, decisions: Mapping[str, Schema]) -> type[Schema]:
    """The schema of a matter's batches.

    Args:
        decisions: the schemas of the moves that say why, by move.
    """
    said = {field: each for schema in decisions.values() for field, each in schema.fields.items()}
    codes = sorted({c for schema in decisions.values() for c in _codes(schema)})
    own = {
        "__doc__": _BatchSchema.__doc__,
        "decisions": decisions,
        **{field: said[field] for field in ("reason", "fields_to_correct")},
        "reason_code": fields.Str(load_default=None, validate=validate.OneOf(codes)),
    }
    return type(name, (_BatchSchema,), own)


class _BatchSchema(Schema):
    """One move for many applications; a return and a rejection say why, once for all of them."""

    decisions: Mapping[str, Schema] = {}
    move = fields.Str(
        required=True, validate=validate.OneOf(["claim", "approve", "return", "reject"])
    )
    items = fields.List(
        fields.Nested(BatchItemSchema), required=True, validate=validate.Length(1, MOST_AT_ONCE)
    )
    note = fields.Str(load_default=None, validate=validate.Length(max=MAX_NOTE))

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Batch:
        """Input becomes a frozen dataclass before it meets an action."""
        items = tuple((item["id"], item["version"]) for item in values["items"])
        if len(dict(items)) < len(items):
            raise ValidationError(Told("listed-twice", "同一申请不能重复选择"), "items")
        move = values["move"]
        why = {name: values.get(name) for name in ("reason", "reason_code", "fields_to_correct")}
        given = {name: value for name, value in why.items() if value}
        decision = self.decisions[move].load(given) if move in self.decisions else None
        return Batch(move, items, values["note"], decision)


def _codes(schema: Schema) -> list[str]:
    return [reason.code for reason in getattr(schema, "reasons", ())]
