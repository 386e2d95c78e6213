"""Forms of text: the whole of it, in patterns that the API's document can show."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError, validate

from servicekit.web.parsing import NOT_BLANK, Whole


def passes(validator: validate.Regexp, text: str) -> bool:
    try:
        return bool(validator(text) == text)
    except ValidationError:
        return False


@pytest.mark.parametrize(
    ("pattern", "shown", "good", "bad"),
    [
        ("[0-9]{2}", "^[0-9]{2}$", ["44"], ["44\n", "\n44", "4", "440", "４４", "44\n44", ""]),
        ("a|bc", "^(?:a|bc)$", ["a", "bc"], ["ab", "abc", "a\n", "bc\n", "c"]),
    ],
)
def test_the_whole_text_is_of_the_form(
    pattern: str, shown: str, good: list[str], bad: list[str]
) -> None:
    form = Whole(pattern)
    assert form.regex.pattern == shown
    assert [text for text in good + bad if passes(form, text)] == good


def test_a_form_is_refused_in_the_words_given() -> None:
    with pytest.raises(ValidationError, match="请选择行政区划"):
        Whole("[0-9]+", error="请选择行政区划")("x")


def test_blank_is_what_has_no_sign_in_it() -> None:
    texts = ["好", " \n好", "好\n\n", "", " ", "\n", "\u3000\t"]
    assert [text for text in texts if passes(NOT_BLANK, text)] == texts[:3]
