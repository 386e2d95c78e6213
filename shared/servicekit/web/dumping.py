"""What a marshmallow schema dumps, by functions put together once per schema.

The schema stays the one source of truth: documentation, names and order come from it, and a field
or a value that is not of the plain kinds below is written by the field itself. For a page of
twenty lines marshmallow's own dump is more than half of the answer's cost.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from marshmallow import Schema, fields, missing

from servicekit.personal import Personal

Write = Callable[[Any, str, Any], Any]  # value, attribute, the whole object
Get = Callable[[Any], Any]

_ISO: Final = (None, "iso")


class Dump:
    """``schema.dump`` made quick; gives what it gives.

    Put together when first called, because nested schemas may be named before they are declared.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._steps: list[Callable[[Any, dict[str, Any]], None]] | None = None

    def __call__(self, obj: Any, *, many: bool | None = None) -> Any:
        """Plain values for one object, or a list for many."""
        several = self._schema.many if many is None else many
        return [self.one(each) for each in obj] if several else self.one(obj)

    def one(self, obj: Any) -> dict[str, Any]:
        """One object's fields in the schema's order; a mapping is read as marshmallow reads it."""
        if hasattr(obj, "__getitem__"):
            dumped: dict[str, Any] = type(self._schema).dump(self._schema, obj, many=False)
            return dumped
        if self._steps is None:
            self._steps = [_step(self._schema, *each) for each in self._schema.dump_fields.items()]
        made: dict[str, Any] = {}
        for step in self._steps:
            step(obj, made)
        return made


def dumped_quickly(schema: Schema) -> Schema:
    """The schema itself, whose ``dump`` is the quick one from now on."""
    setattr(schema, "dump", quick(schema))  # noqa: B010 - a method of this one
    return schema


def quick(schema: Schema) -> Callable[..., Any]:
    """The schema's dump: a quick one, unless the schema has a say in it itself."""
    own = type(schema)
    if any(schema._hooks[hook] for hook in ("pre_dump", "post_dump")):
        return schema.dump
    if own.get_attribute is not Schema.get_attribute or own.dump is not Schema.dump:
        return schema.dump
    return Dump(schema)


def _step(
    schema: Schema, name: str, field: fields.Field[Any]
) -> Callable[[Any, dict[str, Any]], None]:
    key = field.data_key if field.data_key is not None else name
    if type(field).serialize is not fields.Field.serialize or not field._CHECK_ATTRIBUTE:
        get: Get = lambda obj: field.serialize(name, obj, accessor=schema.get_attribute)  # noqa: E731
        write: Write = _as_it_is
    else:
        get, write = _get(schema, name, field), _write(field)
        if isinstance(write, _Only) and _is_plain(field):
            return _plain_step(field.attribute or name, key, name, write)

    def step(obj: Any, made: dict[str, Any]) -> None:
        value = get(obj)
        if value is not missing:
            made[key] = write(value, name, obj)

    return step


def _is_plain(field: fields.Field[Any]) -> bool:
    """Is the value an attribute of the object, and left out where there is none?"""
    own_value = type(field).get_value is fields.Field.get_value
    return own_value and "." not in (field.attribute or "") and field.dump_default is missing


def _plain_step(
    path: str, key: str, name: str, write: _Only
) -> Callable[[Any, dict[str, Any]], None]:
    """Most fields are this: three calls in one."""
    kinds, convert = write.kinds, write.convert

    def step(obj: Any, made: dict[str, Any]) -> None:
        value = getattr(obj, path, missing)
        if type(value) in kinds:
            made[key] = value if convert is None else convert(value)
        elif value is None:
            made[key] = None
        elif value is not missing:
            made[key] = write(value, name, obj)

    return step


def _get(schema: Schema, name: str, field: fields.Field[Any]) -> Get:
    path, default = field.attribute if field.attribute is not None else name, field.dump_default
    if type(field).get_value is not fields.Field.get_value:
        found: Get = lambda obj: field.get_value(obj, name, accessor=schema.get_attribute)  # noqa: E731
    elif "." in path:
        found = _Path(path, lambda obj: field.get_value(obj, name, accessor=schema.get_attribute))
    else:
        found = lambda obj: getattr(obj, path, missing)  # noqa: E731
    if default is missing:
        return found

    def get(obj: Any) -> Any:
        value = found(obj)
        if value is missing:
            return default() if callable(default) else default
        return value

    return get


class _Path:
    """The value at ``state.label``; one among mappings is looked for as marshmallow does."""

    def __init__(self, path: str, otherwise: Get) -> None:
        self._names = path.split(".")
        self._otherwise = otherwise

    def __call__(self, obj: Any) -> Any:
        value = obj
        for name in self._names:
            if hasattr(value, "__getitem__") and not isinstance(value, str):
                return self._otherwise(obj)
            value = getattr(value, name, missing)
        return value


def _write(field: fields.Field[Any]) -> Write:
    own = type(field)
    for kind, maker in _MAKERS.items():
        if own._serialize is kind._serialize and (write := maker(field)) is not None:
            return write
    return field._serialize


def _as_it_is(value: Any, name: str, obj: Any) -> Any:
    return value


class _Only:
    """Writes values of exactly these types; the field itself writes all others."""

    def __init__(
        self,
        field: fields.Field[Any],
        kinds: tuple[type, ...],
        convert: Get | None = None,
        otherwise: Write | None = None,
    ) -> None:
        self.kinds = kinds
        self.convert = convert
        self._otherwise = otherwise or field._serialize

    def __call__(self, value: Any, name: str, obj: Any) -> Any:
        if type(value) in self.kinds:
            return value if self.convert is None else self.convert(value)
        return None if value is None else self._otherwise(value, name, obj)


def _text(field: Any) -> Write:
    def other(value: Any, name: str, obj: Any) -> Any:
        return str(value) if isinstance(value, Personal) else field._serialize(value, name, obj)

    return _Only(field, (str,), otherwise=other)  # a personal value says itself masked


def _number(field: Any) -> Write | None:
    if field.as_string or not isinstance(field, fields.Integer):
        return None
    return _Only(field, (int,))


def _moment(field: Any) -> Write | None:
    if field.format not in _ISO:
        return None
    kind = date if isinstance(field, fields.Date) else datetime
    return _Only(field, (kind,), kind.isoformat)


def _word(field: Any) -> Write | None:
    if not field.by_value or type(field.field) is not fields.Raw:
        return None
    return lambda value, name, obj: None if value is None else value.value


def _list(field: Any) -> Write:
    inner = _write(field.inner)
    return lambda values, name, obj: (
        None if values is None else [inner(each, name, obj) for each in values]
    )


def _nested(field: Any) -> Write:
    dump, many = quick(field.schema), field.schema.many or field.many
    return lambda value, name, obj: None if value is None else dump(value, many=many)


_MAKERS: Final[dict[Any, Callable[[Any], Write | None]]] = {
    fields.Nested: _nested,
    fields.List: _list,
    fields.Enum: _word,
    fields.String: _text,
    fields.Integer: _number,
    fields.DateTime: _moment,
    fields.Boolean: lambda field: _as_it_is,
}
