"""Reads what a request says: JSON without silent coercion, and every wrong field at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

import flask_smorest
import orjson
from flask import Request
from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate
from webargs.flaskparser import FlaskParser
from webargs.flaskparser import is_json_request as is_json
from werkzeug.exceptions import UnsupportedMediaType

from servicekit.errors import FieldError, Invalid, Refusal
from servicekit.web.session import exchange
from servicekit.web.wording import field_errors

NUL: Final = "\x00"  # a character PostgreSQL does not have
BODIES: Final = frozenset({"json", "form", "files"})


class NotJson(Refusal):
    """The body is not JSON, or holds what JSON text may not."""

    code = "not-json"
    default_message = "提交的内容不是有效的 JSON"


class InvalidInput(Invalid):
    """The form of the input is wrong; the meaning is judged by rules."""

    code = "invalid-input"


class Whole(validate.Regexp):
    """The whole text is of this form; ``$`` alone would let a line break pass behind it.

    Args:
        pattern: without anchors, and such as JSON Schema understands too (ECMA-262).
        error: what the person is told.
    """

    def __init__(self, pattern: str, *, error: str | None = None) -> None:
        bare = "|" not in pattern
        super().__init__(f"^{pattern}$" if bare else f"^(?:{pattern})$", error=error)

    def __call__(self, value: Any) -> Any:
        """The text itself."""
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self._format_error(value))
        return value


class _Contains(validate.Regexp):
    """Found anywhere, as JSON Schema means a pattern."""

    def __call__(self, value: Any) -> Any:
        if self.regex.search(value) is None:
            raise ValidationError(self._format_error(value))
        return value


NOT_BLANK: Final = _Contains(r"\S", error="不能为空")


class StrictParser(FlaskParser):
    """Hands a view what its schema loaded, or refuses with every wrong field."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012 - webargs' own
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "json": RAISE,
    }

    def read(self, schema: Schema, location: str) -> Any:
        """What ``parse`` gives, with a short way for a right JSON body.

        Raises:
            NotJson, UnsupportedMediaType, InvalidInput
        """
        asked = exchange().request
        if location == "json":
            body = self.load_json(asked, schema)
            try:
                return schema.load({} if body is missing else body, unknown=RAISE)
            except ValidationError:
                pass  # read again by webargs, which collects what is wrong
        return self.parse(schema, asked, location=location)

    def load_json(self, req: Request, schema: Schema) -> Any:
        body = req.get_data(cache=True)
        if not body:
            return missing
        if not is_json(req):
            raise UnsupportedMediaType
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise NotJson from None

    def pre_load(self, location_data: Any, *, schema: Schema, req: Request, location: str) -> Any:
        if location == "query":
            texts = req.args.items(multi=True)
            if nul := {name: ["Not a valid string."] for name, text in texts if NUL in text}:
                raise ValidationError(nul)
        return location_data

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        messages = error.messages
        if isinstance(messages, dict) and len(messages) == 1:  # {location: {...}}
            messages = next(iter(messages.values()))
        wrong = field_errors(messages)
        raise InvalidInput(fields=[*wrong, *_judged(schema, error.valid_data, wrong)]) from None


def _judged(schema: Schema, valid: Any, wrong: Sequence[FieldError]) -> list[FieldError]:
    """What the rules say of the well-formed fields, so that all wrong ones are named at once.

    A schema that knows has a ``judge(fields) -> Sequence[FieldError]`` (AL-01).
    """
    judge = getattr(schema, "judge", None)
    if judge is None or not isinstance(valid, dict):
        return []
    malformed = {each.field.split("/")[1] for each in wrong if each.field}
    told: Sequence[FieldError] = judge({k: v for k, v in valid.items() if k not in malformed})
    return [each for each in told if each.field.split("/")[1] not in malformed]


def is_documented(blueprint: object) -> bool:
    """Is this a blueprint of the API, as against one of pages?"""
    return isinstance(blueprint, flask_smorest.Blueprint)


def query_names(view: Callable[..., Any]) -> frozenset[str] | None:
    """The query parameters a documented view takes; None for a view that says nothing of it."""
    documented = getattr(view, "_apidoc", None)
    if documented is None:
        return None
    parameters = documented.get("arguments", {}).get("parameters", ())
    names: set[str] = set()
    for parameter in parameters:
        if parameter["in"] == "query":
            schema = parameter["schema"]
            loaded = (schema() if isinstance(schema, type) else schema).load_fields
            names |= {field.data_key or name for name, field in loaded.items()}
    return frozenset(names)


def check_query_names(asked: Request, known: frozenset[str] | None) -> None:
    """A misspelt filter would silently show everything, so it is refused.

    Raises:
        InvalidInput: naming every query parameter the view does not take.
    """
    if known is None:
        return
    unknown = [name for name in asked.args if name not in known]
    if unknown:
        messages = {name: ["Unknown field."] for name in unknown}
        raise InvalidInput(fields=field_errors(messages))


def type_faults(schema: Schema, values: Any) -> dict[Any, Any]:
    """Where a JSON value has another type than the field: marshmallow would coerce it silently."""
    if not isinstance(values, dict):
        return {}
    found = {}
    for name, field in schema.load_fields.items():
        key = field.data_key or name
        if values.get(key) is not None and (wrong := fault(field, values[key])):
            found[key] = wrong
    return found


def fault(field: fields.Field[Any], value: Any) -> Any:
    """Where the value, which is not None, has another type than the field; None where nowhere."""
    if isinstance(field, fields.Nested):
        if field.many:
            return _each(value, lambda one: type_faults(field.schema, one))
        return type_faults(field.schema, value)
    if isinstance(field, fields.List):
        return _each(value, lambda one: fault(field.inner, one))
    return next(_scalar_faults(field, value), None)


def _scalar_faults(field: fields.Field[Any], value: Any) -> Iterator[list[str]]:
    if isinstance(field, fields.Boolean) and not isinstance(value, bool):
        yield ["Not a valid boolean."]
    elif isinstance(field, fields.Decimal):
        yield from _decimal_faults(field, value)
    elif isinstance(field, fields.Integer):
        if isinstance(value, bool) or not isinstance(value, int):
            yield ["Not a valid integer."]
    elif isinstance(field, fields.Float):
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield ["Not a valid number."]
    elif isinstance(field, fields.String | fields.Date | fields.Time | fields.DateTime):
        if not isinstance(value, str) or "\x00" in value:
            yield ["Not a valid string."]
        elif isinstance(field, fields.DateTime):
            yield from _naive_faults(value)


def _decimal_faults(field: fields.Decimal, value: Any) -> Iterator[list[str]]:
    if not isinstance(value, str):
        yield ["Not a valid number."]  # money travels as a string; a float has lost cents
        return
    try:
        exponent = Decimal(value).as_tuple().exponent
    except ArithmeticError:
        return  # marshmallow says it
    finest = None if field.places is None else Decimal(field.places).as_tuple().exponent
    if isinstance(exponent, int) and isinstance(finest, int) and exponent < finest:
        yield ["Not a valid number."]


def _naive_faults(value: str) -> Iterator[list[str]]:
    try:
        naive = datetime.fromisoformat(value).tzinfo is None
    except ValueError:
        return
    if naive:
        yield ["Not a valid aware datetime."]


def _each(values: Any, judge: Callable[[Any], Any]) -> dict[int, Any] | None:
    if not isinstance(values, list):
        return None  # marshmallow says it
    return {n: wrong for n, one in enumerate(values) if (wrong := judge(one))} or None
