"""Whatever marshmallow may say, a person reads Chinese and a program reads a code."""

from __future__ import annotations

import re
from typing import Any

import pytest
from marshmallow import ValidationError, fields, validate

from servicekit.errors import FieldError
from servicekit.web.wording import Told, field_errors, put_in_chinese

FIELDS = [
    kind
    for kind in vars(fields).values()
    if isinstance(kind, type) and issubclass(kind, fields.Field)
]


def said_by_fields() -> set[str]:
    """Every message of every field class."""
    return {
        str(message)
        for kind in FIELDS
        for owner in kind.__mro__
        for message in getattr(owner, "default_error_messages", {}).values()
    }


def said_by_validators() -> set[str]:
    """What the validators say of values they refuse."""
    refusals: list[tuple[Any, Any]] = [
        (validate.Length(1, 3), "four"),
        (validate.Length(min=1), ""),
        (validate.Length(max=1), "ab"),
        (validate.Length(equal=2), "abc"),
        (validate.Range(1, 3), 4),
        (validate.Range(min=1), 0),
        (validate.Range(max=1), 2),
        (validate.Range(1, 3, min_inclusive=False, max_inclusive=False), 4),
        (validate.Range(min=1, min_inclusive=False), 1),
        (validate.Range(max=1, max_inclusive=False), 1),
        (validate.Equal(1), 2),
        (validate.Regexp("a"), "b"),
        (validate.OneOf(["a"]), "b"),
        (validate.NoneOf(["a"]), "a"),
        (validate.ContainsOnly(["a"]), ["b"]),
        (validate.ContainsNoneOf(["a"]), ["a"]),
        (validate.Email(), "x"),
        (validate.URL(), "x"),
        (validate.Predicate("isdigit"), "x"),
    ]
    said = {"Unknown field.", "Missing data for required field.", "Field may not be null."}
    for validator, value in refusals:
        with pytest.raises(ValidationError) as refused:
            validator(value)
        said |= {str(message) for message in refused.value.messages}
    return said


@pytest.mark.req("AL-08")
@pytest.mark.parametrize("message", sorted(said_by_fields() | said_by_validators()))
def test_no_english_reaches_a_person(message: str) -> None:
    code, text = put_in_chinese(re.sub(r"\{\w+\}", "7", message))
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in text), message
    assert "{}" not in text


def test_what_a_service_wrote_stays() -> None:
    assert put_in_chinese("请选择广东省内的行政区划") == ("invalid", "请选择广东省内的行政区划")
    assert put_in_chinese(Told("born-in-future", "出生日期不能晚于今天")) == (
        "born-in-future",
        "出生日期不能晚于今天",
    )


def test_messages_become_pointers() -> None:
    messages = {"a": {0: {"b/c": ["Unknown field."]}, "_schema": ["整体有误"]}, "~": ["必填"]}
    assert field_errors(messages) == [
        FieldError("/a/0/b~1c", "unknown-field", "没有这一项"),
        FieldError("/a", "invalid", "整体有误"),
        FieldError("/~0", "invalid", "必填"),
    ]
