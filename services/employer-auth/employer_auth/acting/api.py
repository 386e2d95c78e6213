"""HTTP for acting: the choice of a unit, the mandate, its keys, and what was revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, jsonify

from employer_auth.acting import actions, queries, rules, schemas
from employer_auth.parts import parts
from servicekit.clock import shanghai_date
from servicekit.web.access import access, public, unkeyed
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading
from servicekit.workflow import Role

acting = Blueprint("acting", __name__, description="以法人身份办理：选择单位，换取令牌")
person = access(Role.APPLICANT, kinds=("person",))
verified = access(Role.APPLICANT, level=2, kinds=("person",))


@acting.route("/acting-units", methods=["GET"])
@person
@acting.response(200, schemas.ActingUnitsSchema, example={"items": [schemas.EXAMPLE_UNIT]})
def list_acting_units() -> dict[str, list[queries.ActingUnit]]:
    """The units one may act for now (以法人身份登录时可选的单位); only active bindings."""
    with reading() as db:
        today = shanghai_date(now())
        return {"items": queries.acting_units(db, actor().id, today=today)}


@acting.route("/mandates", methods=["POST"])
@verified
@unkeyed
@acting.arguments(
    schemas.ChoiceSchema,
    example={name: schemas.EXAMPLE_UNIT[name] for name in ("unit_id", "binding_id")},
)
@acting.response(
    201,
    schemas.MandateSchema,
    example={"mandate": "eyJ…", "expires_at": "2026-11-21T02:01:00+00:00"},
)
def make_mandate(choice: dict[str, str]) -> actions.Mandate:
    """A mandate for identity's token exchange (使用选中的法人账号登录); it lives 60 seconds.

    404 `binding-not-found`; 409 `binding-not-active`, `binding-suspended` with its reasons.
    """
    signer = parts().keys.signer(now=now())
    with reading() as db:
        return actions.make_mandate(
            db, **choice, actor=actor(), now=now(), signer=signer, **parts().parties
        )


@acting.route("/mandate-keys", methods=["GET"])
@public
@acting.response(200, schemas.KeySetSchema)
def show_mandate_keys() -> Response:
    """The keys that verify mandates, coming and going ones too (JWKS)."""
    answer = jsonify(parts().keys.jwks(now=now()))
    answer.headers["Cache-Control"] = f"public, max-age={rules.KEYS_CACHED_SECONDS}"
    return answer


@acting.route("/revocations", methods=["GET"])
@access(Role.SYSTEM, scopes=("revocations",))
@acting.arguments(schemas.SinceSchema, location="query")
@acting.response(200, schemas.RevocationsSchema, example=schemas.EXAMPLE_REVOCATIONS)
def list_revocations(query: dict[str, datetime]) -> dict[str, Any]:
    """The bindings that changed since; their tokens of an older version are worth nothing."""
    with reading() as db:
        bindings = queries.revised_since(db, query["since"], now=now())
        return {"now": now(), "bindings": bindings}
