"""What marshmallow finds wrong, as a stable code and a Chinese sentence for the form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from servicekit.errors import FieldError

SCHEMA_KEY: Final = "_schema"  # where marshmallow puts what is wrong with the whole


class Told(str):
    """A validator's message with a code of its own: ``raise ValidationError(Told(code, text))``."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, text: str) -> Told:
        told = super().__new__(cls, text)
        told.code = code
        return told


# In marshmallow's words; the first that matches. Groups fill the braces.
_WORDS: Final = tuple(
    (re.compile(pattern), code, text)
    for pattern, code, text in (
        (r"Missing data for required field\.", "required", "必填"),
        (r"Field may not be null\.", "required", "必填"),
        (r"Unknown field\.", "unknown-field", "没有这一项"),
        (r"Invalid input type\.", "wrong-type", "格式不正确"),
        (r"Must be one of: (.*)\.", "not-a-choice", "请在给定的选项中选择"),
        (r"Invalid choice\.", "not-a-choice", "请在给定的选项中选择"),
        (r"Not a valid choice.*", "not-a-choice", "请在给定的选项中选择"),
        (r"Invalid value\.", "invalid", "内容有误"),
        (r"Shorter than minimum length (\d+)\.", "too-short", "长度不能少于 {}"),
        (r"Longer than maximum length (\d+)\.", "too-long", "长度不能超过 {}"),
        (r"Length must be between (\d+) and (\d+)\.", "wrong-length", "长度应在 {} 到 {} 之间"),
        (r"Length must be (\d+)\.", "wrong-length", "长度应为 {}"),
        (r"Must be greater than or equal to (.+) and less than or equal to (.+)\.",
         "out-of-range", "应在 {} 到 {} 之间"),
        (r"Must be greater than or equal to (.+)\.", "too-small", "不能小于 {}"),
        (r"Must be less than or equal to (.+)\.", "too-large", "不能大于 {}"),
        (r"Must be greater than (.+) and less than (.+)\.", "out-of-range", "应在 {} 到 {} 之间"),
        (r"Must be greater than (.+)\.", "too-small", "应大于 {}"),
        (r"Must be less than (.+)\.", "too-large", "应小于 {}"),
        (r"Must be equal to (.+)\.", "invalid", "应为 {}"),
        (r"Must be .*", "out-of-range", "超出允许范围"),
        (r"Number too large\.", "too-large", "数值过大"),
        (r"Special numeric values .*", "wrong-type", "请填写数字"),
        (r"String does not match expected pattern\.", "wrong-format", "格式不正确"),
        (r"Not a valid (?:integer|number)\.", "wrong-type", "请填写数字"),
        (r"Not a valid boolean\.", "wrong-type", "请选择是或否"),
        (r"Not a valid string\.", "wrong-type", "请填写文字"),
        (r"Not a valid utf-8 string\.", "wrong-type", "请填写文字"),
        (r"Not a valid (?:naive |aware )?(?:date|datetime|time|period of time)\.",
         "wrong-format", "日期或时间格式不正确"),
        (r"Not a valid email address\.", "wrong-format", "电子邮箱格式不正确"),
        (r"Not a valid URL\.", "wrong-format", "网址格式不正确"),
        (r"Not a valid .*", "wrong-format", "格式不正确"),
        (r'"?.*"? cannot be formatted as a .*', "wrong-format", "格式不正确"),
        (r"Invalid .*", "wrong-format", "格式不正确"),
        (r"Zero or more (.*)", "invalid", "内容有误"),
        (r"One or more of the choices you made was (?:not )?in: .*", "not-a-choice",
         "请在给定的选项中选择"),
    )
)  # fmt: skip


_CHINESE: Final = re.compile("[一-鿿]")


def field_errors(messages: Any, pointer: str = "") -> list[FieldError]:
    """Every wrong field of marshmallow's nested messages, as JSON pointers (RFC 6901)."""
    return list(_walk(messages, pointer))


def put_in_chinese(message: str) -> tuple[str, str]:
    """Code and Chinese sentence of one message; what a service wrote itself stays as it is."""
    if isinstance(message, Told):
        return message.code, str(message)
    for pattern, code, text in _WORDS:
        if match := pattern.fullmatch(message):
            return code, text.format(*match.groups())
    return "invalid", message if _CHINESE.search(message) else "内容有误"


def _walk(messages: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            step = "" if key == SCHEMA_KEY else "/" + str(key).replace("~", "~0").replace("/", "~1")
            yield from _walk(inner, pointer + step)
    elif isinstance(messages, list | tuple):
        for inner in messages:
            yield from _walk(inner, pointer)
    else:
        code, text = put_in_chinese(messages if isinstance(messages, str) else str(messages))
        yield FieldError(pointer, code, text)
