"""The quick dump gives what marshmallow gives, whatever the schema and the values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields, post_dump

from servicekit.personal import MobileNumber, PersonName
from servicekit.web.dumping import Dump, quick
from servicekit.web.filing import Part


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Computed(fields.Boolean):
    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        return obj.count == 1


class PlaceSchema(Schema):
    name = fields.Str()
    label = fields.Str(data_key="said")


class ThingSchema(Schema):
    text = fields.Str(required=True)
    person = fields.Str()
    phone = fields.Str(attribute="mobile")
    count = fields.Int()
    written = fields.Int(as_string=True)
    share = fields.Float()
    money = fields.Decimal(places=2, as_string=True)
    on = fields.Date()
    at = fields.AwareDateTime()
    said_otherwise = fields.DateTime(format="rfc", attribute="at", dump_only=True)
    colour = fields.Enum(Colour, by_value=True)
    by_name = fields.Enum(Colour, attribute="colour", dump_only=True)
    is_open = fields.Bool()
    computed = Computed()
    words = fields.List(fields.Str())
    days = fields.List(fields.Date())
    deep = fields.Str(attribute="place.name")
    place = fields.Nested(PlaceSchema)
    places = fields.List(fields.Nested(PlaceSchema))
    several = fields.Nested(PlaceSchema(many=True), attribute="places", dump_only=True)
    part = Part(PlaceSchema(only=("name",)))
    absent = fields.Str()
    filled = fields.Str(dump_default="-")
    made = fields.Str(dump_default=lambda: "made")
    worked_out = fields.Method("work_out")
    constant = fields.Constant("c")
    secret = fields.Str(load_only=True)
    anything = fields.Raw()

    def work_out(self, obj: Any) -> str:
        return f"{obj.text}!"


texts = st.text(max_size=5)
optional = st.one_of(st.none(), texts)
moments = st.datetimes(timezones=st.just(UTC))
places = st.builds(SimpleNamespace, name=optional, label=texts)
place_like = st.one_of(st.none(), places, st.fixed_dictionaries({"name": optional}))
things = st.builds(
    SimpleNamespace,
    text=st.one_of(texts, st.integers(), st.binary(max_size=0)),
    person=st.one_of(st.none(), st.just(PersonName("林小明"))),
    mobile=st.one_of(st.none(), st.just(MobileNumber("13800000001"))),
    count=st.one_of(st.none(), st.integers(), st.booleans()),
    written=st.one_of(st.none(), st.integers()),
    share=st.one_of(st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    money=st.one_of(st.none(), st.decimals(0, 9999, places=2)),
    on=st.one_of(st.none(), st.dates()),
    at=st.one_of(st.none(), moments),
    colour=st.one_of(st.none(), st.sampled_from(Colour)),
    is_open=st.one_of(st.none(), st.booleans()),
    words=st.one_of(st.none(), st.lists(st.one_of(texts, st.integers()))),
    days=st.lists(st.dates()),
    place=places,
    places=st.lists(place_like.filter(lambda place: place is not None)),
    name=optional,
    anything=st.one_of(st.none(), st.integers(), texts),
)


@given(things)
def test_one_is_dumped_as_marshmallow_dumps_it(thing: SimpleNamespace) -> None:
    expected = ThingSchema().dump(thing)
    dumped = Dump(ThingSchema())(thing)
    assert dumped == expected
    assert list(dumped) == list(expected)
    assert [type(value) for value in dumped.values()] == [type(v) for v in expected.values()]


@given(st.lists(things, max_size=3))
def test_many_too(found: list[SimpleNamespace]) -> None:
    assert Dump(ThingSchema(many=True))(found) == ThingSchema(many=True).dump(found)


@given(things, st.sets(st.sampled_from(sorted(ThingSchema._declared_fields)), min_size=1))
def test_what_an_object_lacks_is_left_out(thing: SimpleNamespace, only: set[str]) -> None:
    for name in ("person", "words", "place", "anything"):
        delattr(thing, name)
    schema = ThingSchema(only=only)
    assert Dump(schema)(thing) == schema.dump(thing)


def test_a_mapping_is_read_as_marshmallow_reads_it() -> None:
    row = {"text": "a", "on": date(2026, 9, 1), "money": Decimal("1.50"), "place": {"name": "b"}}
    schema = ThingSchema(only=("text", "on", "money", "deep", "place"))
    assert Dump(schema)(row) == schema.dump(row)


def test_a_value_of_another_type_is_the_fields_own_business() -> None:
    schema = ThingSchema(only=("on",))
    thing = SimpleNamespace(on=datetime(2026, 9, 1, tzinfo=UTC))
    assert Dump(schema)(thing) == schema.dump(thing)
    with pytest.raises(TypeError):
        Dump(ThingSchema(only=("at",)))(SimpleNamespace(at="yesterday"))


def test_a_schema_with_hooks_dumps_itself() -> None:
    class Hooked(PlaceSchema):
        @post_dump
        def add(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
            return values | {"added": True}

    class Around(Schema):
        place = fields.Nested(Hooked)

    place = SimpleNamespace(name="a", label="b")
    assert quick(Hooked())(place) == {"name": "a", "said": "b", "added": True}
    assert Dump(Around())(SimpleNamespace(place=place))["place"]["added"]
