"""Puts objects back to what they held: attributes and collections, as far as they are ours."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from operator import is_
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeVar

import flask
import marshmallow
import werkzeug.utils

from servicekit import launch
from servicekit.web.app import Service

T = TypeVar("T")

# Rooms of tests, which hold what stands around a service.
_TESTS = frozenset({"services", "shared", "tests"})
_DECLARED = (type, ModuleType, flask.Blueprint, marshmallow.Schema, Service)
_VIEWS = ("view_functions", "marks", "query_names")
# What is worked out once from the rest may stay.
_WORKED_OUT = (functools.cached_property, werkzeug.utils.cached_property)


class Remembered:
    """What is reached from an object through attributes, collections and closures, as it is now.

    What libraries keep inside their own objects is not looked at, nor what is declared once in a
    module and serves every application: routes with their views and schemas.
    """

    def __init__(self, root: object) -> None:
        self._ours = {name.replace("-", "_") for name in launch.services()} | {"servicekit"}
        self._seen: dict[int, object] = {}  # and kept, so that no other gets its id
        self._dicts: list[tuple[dict[Any, Any], dict[Any, Any], type]] = []
        self._lists: list[tuple[list[Any] | deque[Any], list[Any]]] = []
        self._sets: list[tuple[set[Any], set[Any]]] = []
        self._slots: list[tuple[object, str, object]] = []
        waiting = [root]
        while waiting:
            one = waiting.pop()
            if id(one) not in self._seen and not isinstance(one, _DECLARED):
                self._seen[id(one)] = one
                waiting.extend(self._inside(one))

    def of_type(self, cls: type[T]) -> list[T]:
        """The objects of a class among them."""
        return [one for one in self._seen.values() if isinstance(one, cls)]

    def restore(self) -> None:
        """Put back whatever is otherwise now."""
        for held, before, owner in self._dicts:
            if held.keys() != before.keys() or any(held[n] is not v for n, v in before.items()):
                _put_back(held, before, owner)
        for items, before_items in self._lists:
            if len(items) != len(before_items) or not all(map(is_, items, before_items)):
                items.clear()
                items.extend(before_items)
        for members, before_members in self._sets:
            if members != before_members:
                members.clear()
                members.update(before_members)
        for one, name, value in self._slots:
            if getattr(one, name, None) is not value:
                object.__setattr__(one, name, value)

    def _inside(self, one: Any) -> Iterable[Any]:
        """Remember what an object holds, and give it."""
        inside: Iterable[Any] = ()
        if isinstance(one, dict):
            inside = self._keep(one, dict)
        elif isinstance(one, list | deque):
            self._lists.append((one, list(one)))
            inside = list(one)
        elif isinstance(one, set):
            self._sets.append((one, set(one)))
            inside = list(one)
        elif isinstance(one, tuple | frozenset):
            inside = one
        elif isinstance(one, MethodType | FunctionType | functools.partial):
            inside = _called(one)
        elif self._is_ours(type(one)):
            inside = self._attributes(one)
        return inside

    def _is_ours(self, cls: type) -> bool:
        top = cls.__module__.partition(".")[0]
        return top in self._ours or top in _TESTS

    def _attributes(self, one: Any) -> Iterator[Any]:
        if hasattr(one, "__dict__"):
            yield from self._keep(vars(one), type(one))
        for cls in type(one).__mro__:
            slots = cls.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if not name.startswith("__") and hasattr(one, name):
                    self._slots.append((one, name, getattr(one, name)))
                    yield getattr(one, name)

    def _keep(self, held: dict[Any, Any], owner: type) -> list[Any]:
        self._dicts.append((held, dict(held), owner))
        declared = _VIEWS if issubclass(owner, flask.Flask) else ()
        return [value for name, value in held.items() if name not in declared]


def _put_back(held: dict[Any, Any], before: dict[Any, Any], owner: type) -> None:
    worked_out = {
        name: value
        for name, value in held.items()
        if name not in before and isinstance(getattr(owner, str(name), None), _WORKED_OUT)
    }
    held.clear()
    held.update(before | worked_out)


def _called(one: MethodType | FunctionType | functools.partial[Any]) -> list[Any]:
    """What a call of it works with."""
    if isinstance(one, MethodType):
        return [one.__self__]
    if isinstance(one, functools.partial):
        return [one.func, one.args, one.keywords]
    found = []
    for cell in one.__closure__ or ():
        with suppress(ValueError):  # not filled yet
            found.append(cell.cell_contents)
    return found
