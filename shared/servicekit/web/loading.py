"""What a marshmallow schema loads from JSON, by functions put together once per schema.

Only what is wholly right goes this way. At the first doubt marshmallow reads the input again and
says what is wrong, so that the schema stays the one source of truth and of every message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, missing

from servicekit.web.parsing import NUL, fault, type_faults

Read = Callable[[Any, str, dict[str, Any]], Any]  # value, its key, the whole object
_STRICTLY: Final = {"unknown": RAISE}
_PLAIN: Final = (fields.String, fields.Date)


class _InDoubt(Exception):
    """Not plainly right: marshmallow shall say."""


class Load:
    """``schema.load`` of a JSON body made quick and strict; gives what it gives.

    Put together when first called, because nested schemas may be named before they are declared.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._slow = schema.load
        self._object: Callable[[Any], Any] | None = None

    def __call__(self, values: Any, **how: Any) -> Any:
        """What the schema makes of the values.

        Raises:
            ValidationError: naming everything that is wrong, other types than the fields' too,
                which marshmallow would coerce silently.
        """
        if self._object is None:
            self._object = _object(self._schema, RAISE)
        if how == _STRICTLY:
            try:
                return self._object(values)
            except (_InDoubt, ValidationError):
                pass
        if wrong := type_faults(self._schema, values):
            raise ValidationError(_merge(self._schema.validate(values), wrong))
        return self._slow(values, **how)


def loaded_quickly(schema: Schema) -> Schema:
    """The schema itself, whose ``load`` is the quick and strict one from now on."""
    if not isinstance(schema.load, Load):
        setattr(schema, "load", Load(schema))  # noqa: B010 - a method of this one
    return schema


def _object(schema: Schema, unknown: Any) -> Callable[[Any], Any]:
    if any(schema._hooks.values()) or schema.many or schema.partial or unknown != RAISE:
        return _doubt
    steps = [_step(name, field) for name, field in schema.load_fields.items()]
    keys = frozenset(key for key, _, _, _ in steps)

    def load(values: Any) -> dict[str, Any]:
        if type(values) is not dict or not values.keys() <= keys:
            raise _InDoubt
        made = {}
        for key, name, read, field in steps:
            value = values.get(key, missing)
            if value is missing or value is None:
                value = field.deserialize(value)
            else:
                value = read(value, key, values)
            if value is not missing:
                made[name] = value
        return made

    return load


def _step(name: str, field: fields.Field[Any]) -> tuple[str, str, Read, fields.Field[Any]]:
    target = field.attribute if field.attribute is not None else name
    read = _doubt if "." in target else _read(field)
    return (field.data_key if field.data_key is not None else name), target, read, field


def _read(field: fields.Field[Any]) -> Read:
    own = type(field)
    if own.deserialize is not fields.Field.deserialize or field.pre_load or field.post_load:
        return _by_field(field)
    if own._validate is not fields.Field._validate:
        return _by_field(field)
    if own._deserialize is fields.Nested._deserialize:
        return _checked(field, _nested(field))
    if own._deserialize is fields.List._deserialize:
        return _checked(field, _list(field))
    return _checked(field, _strict(field))


def _by_field(field: fields.Field[Any]) -> Read:
    def read(value: Any, key: str, values: dict[str, Any]) -> Any:
        if fault(field, value):
            raise _InDoubt
        return field.deserialize(value, key, values)

    return read


def _strict(field: fields.Field[Any]) -> Read:
    """A value of the field's own type, as the field reads it."""
    convert = field._deserialize
    plain = isinstance(field, _PLAIN)
    as_it_is = type(field)._deserialize is fields.String._deserialize

    def read(value: Any, key: str, values: dict[str, Any]) -> Any:
        if plain:
            if type(value) is not str or NUL in value:
                raise _InDoubt
        elif fault(field, value):
            raise _InDoubt
        return value if as_it_is else convert(value, key, values)

    return read


def _checked(field: fields.Field[Any], read: Read) -> Read:
    validators = tuple(field.validators)
    if not validators:
        return read

    def check(value: Any, key: str, values: dict[str, Any]) -> Any:
        found = read(value, key, values)
        for validator in validators:
            validator(found)
        return found

    return check


def _nested(field: Any) -> Read:
    unknown = field.unknown if field.unknown is not None else field.schema.unknown
    if type(field)._load is not fields.Nested._load or type(field.schema).load is not Schema.load:
        return _doubt
    load = _doubt if field.many else _object(field.schema, unknown)
    return lambda value, key, values: load(value)


def _list(field: Any) -> Read:
    inner = _read(field.inner)

    def read(found: Any, key: str, values: dict[str, Any]) -> Any:
        if type(found) is not list or None in found:
            raise _InDoubt
        return [inner(each, key, values) for each in found]

    return read


def _doubt(*_: Any) -> Any:
    raise _InDoubt


def _merge(messages: dict[Any, Any], stricter: dict[Any, Any]) -> dict[Any, Any]:
    merged = dict(messages)
    for key, inner in stricter.items():
        known = merged.get(key)
        both = isinstance(known, dict) and isinstance(inner, dict)
        merged[key] = _merge(known, inner) if both else inner  # type: ignore[arg-type]
    return merged
