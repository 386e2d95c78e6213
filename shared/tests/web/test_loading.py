"""The quick load gives what marshmallow gives, and finds wrong what is wrong."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from servicekit.web.filing import Phone
from servicekit.web.loading import Load, loaded_quickly
from servicekit.web.parsing import type_faults


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class PlaceSchema(Schema):
    name = fields.Str(required=True)
    label = fields.Str(data_key="said", allow_none=True)


class HookedSchema(PlaceSchema):
    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> tuple[Any, ...]:
        return tuple(values.items())


class ThingSchema(Schema):
    text = fields.Str(validate=[validate.Length(1, 4), validate.Regexp(r"\S")])
    kept = fields.Str(load_default="-")
    made = fields.List(fields.Str(), load_default=list)
    other = fields.Str(attribute="elsewhere")
    deep = fields.Str(attribute="place.deep")
    count = fields.Int(validate=validate.Range(0, 9))
    share = fields.Float()
    money = fields.Decimal(places=2, allow_nan=False)
    on = fields.Date(allow_none=True)
    at = fields.AwareDateTime()
    colour = fields.Enum(Colour, by_value=True)
    phone = Phone()
    is_open = fields.Bool()
    words = fields.List(
        fields.Str(validate=validate.Length(max=3)), validate=validate.Length(max=2)
    )
    place = fields.Nested(PlaceSchema, allow_none=True)
    lenient = fields.Nested(PlaceSchema(unknown="exclude"))
    places = fields.List(fields.Nested(PlaceSchema))
    many = fields.Nested(PlaceSchema, many=True)
    hooked = fields.Nested(HookedSchema)
    shown = fields.Str(dump_only=True)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 12),
    st.floats(-1, 2),
    st.sampled_from(["", " ", "a", "abcd", "abcde", "nul\x00", "red", "1.25", "1.239", "NaN", "7"]),
    st.sampled_from(["2026-09-01", "2026-09-01T02:00:00", "2026-09-01T02:00:00+00:00"]),
    st.sampled_from(["13800000001", "12345678901"]),
)
objects = st.dictionaries(st.sampled_from(["name", "said", "label", "more"]), scalars, max_size=3)
values = st.one_of(scalars, objects, st.lists(st.one_of(scalars, objects), max_size=3))
things = st.dictionaries(st.sampled_from([*ThingSchema._declared_fields, "unknown"]), values)


def outcome(load: Any, given: Any) -> Any:
    try:
        return load(given)
    except ValidationError as error:
        return error.messages


def strictly(given: Any) -> Any:
    """As the schema and the check of types say it, without the quick way."""
    schema = ThingSchema()
    if type_faults(schema, given):
        return Load(schema)(given)  # asks both in their turn, and nothing else
    return schema.load(given, unknown=RAISE)


@given(st.one_of(things, values))
def test_it_loads_and_refuses_what_marshmallow_and_the_types_do(given: Any) -> None:
    quick = Load(ThingSchema())
    found = outcome(lambda v: quick(v, unknown=RAISE), given)
    expected = outcome(strictly, given)
    assert repr(found) == repr(expected)
    if isinstance(found, dict):
        assert list(found) == list(expected)


RIGHT = {
    "text": "abc",
    "other": "x",
    "count": 3,
    "money": "1.25",
    "on": None,
    "at": "2026-09-01T02:00:00+00:00",
    "colour": "red",
    "words": ["a", "b"],
    "place": {"name": "n", "said": None},
    "places": [{"name": "n"}],
}


def test_what_is_right_never_reaches_marshmallow(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ThingSchema().load(RIGHT)
    quick = Load(ThingSchema())
    monkeypatch.setattr(Schema, "_do_load", None)
    assert quick(RIGHT, unknown=RAISE) == expected
    assert expected["money"] == Decimal("1.25")


def test_a_schema_is_made_quick_once() -> None:
    schema = loaded_quickly(ThingSchema())
    first = schema.load
    assert loaded_quickly(schema).load is first
