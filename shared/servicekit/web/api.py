"""What a matter's ``api.py`` is written with: blueprints, common schemas, one endpoint per move."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, TypeVar, cast

import flask
import flask_smorest
from marshmallow import Schema, fields, validate

from servicekit.web import session, versions
from servicekit.web.access import Kind, access
from servicekit.web.dumping import dumped_quickly
from servicekit.web.json_text import json_response
from servicekit.web.loading import loaded_quickly
from servicekit.web.parsing import BODIES, StrictParser
from servicekit.workflow import Role, Workflow

View = TypeVar("View", bound=Callable[..., Any])
AnySchema = Schema | type[Schema]

MAX_NOTE = 500


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A documented part of a service's API.

    Its prefix is put under ``/api/<service>/v1``, unless it begins with ``/api/`` already. The
    decorators stand in this order: ``route``, ``arguments``, ``response``, ``access``.
    """

    ARGUMENTS_PARSER = StrictParser()

    def route(
        self, rule: str, *, methods: Sequence[str] = ("GET",), **options: Any
    ) -> Callable[[View], View]:
        """Put a view at an address below the blueprint's."""
        found: Callable[[View], View] = super().route(rule, methods=list(methods), **options)
        return found

    def arguments(
        self, schema: AnySchema, *, location: str = "json", **options: Any
    ) -> Callable[[View], View]:
        """Hand the view what the schema loaded; unknown and wrong fields are refused together.

        Args:
            location: ``json`` (the body), ``query`` or ``form``.
            options: ``description``, ``example`` and ``examples`` of the documentation.
        """
        loaded = schema() if isinstance(schema, type) else schema  # once, and not per request
        if location == "json":
            loaded = loaded_quickly(loaded)
        if location in BODIES:
            options.setdefault("required", any(f.required for f in loaded.load_fields.values()))
        documented = super().arguments(loaded, location=location, **options)
        read = partial(self.ARGUMENTS_PARSER.read, loaded, location)

        def decorate(view: View) -> View:
            @wraps(documented(view))
            def call(*given: Any, **named: Any) -> Any:
                return view(*given, read(), **named)

            return cast(View, call)

        return decorate

    def response(
        self,
        status_code: int,
        schema: AnySchema | Mapping[str, str] | None = None,
        **options: Any,
    ) -> Callable[[View], View]:
        """Answer with what the schema makes of the view's return value.

        Args:
            schema: or, for what is not JSON, a JSON schema of the document beside
                ``content_type``.
        """
        shown = schema() if isinstance(schema, type) else schema
        if isinstance(shown, Schema):
            shown = dumped_quickly(shown)
        documented = super().response(status_code, shown, **options)
        if not isinstance(shown, Schema):
            return cast(Callable[[View], View], documented)
        finished, dump = documented(lambda answer: answer), shown.dump

        def decorate(view: View) -> View:
            @wraps(documented(view))
            def call(*given: Any, **named: Any) -> Any:
                answer = view(*given, **named)
                if isinstance(answer, tuple | flask.Response):
                    return finished(answer)  # with a status or headers of its own
                return json_response(dump(answer), status_code)

            return cast(View, call)

        return decorate

    def doc(self, **said: Any) -> Callable[[View], View]:
        """Put further members into the operation's documentation, ``x-…`` among them."""
        found: Callable[[View], View] = super().doc(**said)
        return found


class NoteSchema(Schema):
    """The remark that goes into the history."""

    note = fields.Str(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=MAX_NOTE),
        metadata={"description": "The remark that goes into the history (备注)."},
    )


class FieldErrorSchema(Schema):
    """One wrong field."""

    field = fields.Str(required=True, metadata={"description": "JSON pointer (RFC 6901)."})
    code = fields.Str(required=True)
    message = fields.Str(required=True, metadata={"description": "In Chinese, for the person."})


class ProblemSchema(Schema):
    """What went wrong (RFC 9457), in Chinese for the person and as a code for the program."""

    type = fields.Str(required=True, metadata={"description": "urn:jiuye:problem:<code>"})
    title = fields.Str(required=True)
    status = fields.Int(required=True)
    detail = fields.Str(required=True, metadata={"description": "In Chinese, for the person."})
    code = fields.Str(required=True, metadata={"description": "Stable, kebab-case."})
    instance = fields.Str(required=True, metadata={"description": "Names the request."})
    errors = fields.List(fields.Nested(FieldErrorSchema))


def add_moves(
    blueprint: Blueprint,
    workflow: Workflow[Any],
    make_move: Callable[..., Any],
    shows: AnySchema,
    *,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
    by: Collection[Role] | None = None,
    level: int = 0,
    kinds: Iterable[Kind] = (),
    takes: AnySchema | None = None,
    example: Mapping[str, Any] | None = None,
) -> None:
    """One documented endpoint per move of the table: ``POST /<id>/submit``, ``/<id>/approve`` …

    Args:
        make_move: ``make_move(db, id, move, *, actor, now, note)``, gives the record back.
        shows: the schema of the answer.
        only, without: which moves; a move with an input of its own gets a hand-written endpoint.
        by: only moves made by these roles; the rest is another blueprint's.
        level, kinds: for the moves applicants make; officers need the workflow's business.
        takes: the body's schema in place of ``NoteSchema``; loaded values become keywords.
    """
    for name in dict.fromkeys(move.name for move in workflow.moves):
        if name in without or (only is not None and name not in only):
            continue
        roles = [move.by for move in workflow.moves if move.name == name]
        roles = [role for role in dict.fromkeys(roles) if role is not Role.SYSTEM]
        roles = [role for role in roles if by is None or role in by]
        if roles:
            view = _move_view(name, make_move)
            mark = access(*roles, level=level, kinds=kinds, business=workflow.name)
            view.__doc__ = f"{_title(name)} (by: {', '.join(roles)})."
            view = mark(blueprint.response(200, shows, example=example)(view))
            view = blueprint.arguments(takes or NoteSchema)(view)
            blueprint.route(f"/<id>/{name}", methods=["POST"])(view)


def _move_view(name: str, make_move: Callable[..., Any]) -> Callable[..., Any]:
    def view(body: dict[str, Any], id: str) -> Any:  # noqa: A002 - the name in the address
        with session.transaction() as db:
            record = make_move(db, id, name, actor=session.actor(), now=session.now(), **body)
            return versions.tag(record)

    view.__name__ = view.__qualname__ = name.replace("-", "_")
    return view


def _title(name: str) -> str:
    return name.replace("-", " ").capitalize()
