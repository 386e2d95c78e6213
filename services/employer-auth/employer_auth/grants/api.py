"""HTTP for units: who may do what, per business (EA-06)."""

from __future__ import annotations

from datetime import date
from typing import Any

from employer_auth.bindings import queries as bindings
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import MANAGE
from employer_auth.grants import actions, queries, rules, schemas
from servicekit.clock import shanghai_date
from servicekit.web import versions
from servicekit.web.access import access, public
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

grants = Blueprint("grants", __name__, description="授权：经办人可以办理的业务")
managing = access(Role.APPLICANT, kinds=("unit",), grants=MANAGE, unit_account=True)
EXAMPLE = {
    "items": [schemas.EXAMPLE_GRANT],
    "permissions": ["recruitment.jobs:draft", "recruitment.jobs:submit", "recruitment.jobs:view"],
    "version": 4,
}


@grants.route("/roles", methods=["GET"])
@public
@grants.response(200, schemas.RoleSchema(many=True), example=[schemas.EXAMPLE_ROLE])
def list_roles() -> list[dict[str, Any]]:
    """What people of a role usually need (角色模板); granting it is the unit's own decision."""
    return [
        {
            "code": role.code,
            "title": role.title,
            "grants": [{"business": b, "actions": list(a)} for b, a in role.actions.items()],
        }
        for role in rules.TEMPLATES
    ]


@grants.route("/sub-accounts/<binding_id>/grants", methods=["GET"])
@managing
@grants.arguments(schemas.AllSchema, location="query")
@grants.response(200, schemas.GrantsSchema, example=EXAMPLE)
def list_grants(query: dict[str, bool], binding_id: str) -> dict[str, Any]:
    """What a person may do for the unit; `ended` shows what they once might, too.

    404 `binding-not-found`.
    """
    with reading() as db:
        return _shown(bindings.find_of_unit(db, binding_id, actor()), ended=query["ended"])


@grants.route("/sub-accounts/<binding_id>/grants/<business>", methods=["PUT"])
@managing
@grants.arguments(schemas.WishSchema, example=schemas.EXAMPLE_WISH)
@grants.response(200, schemas.GrantsSchema, example=EXAMPLE)
def grant(said: dict[str, Any], binding_id: str, business: str) -> dict[str, Any]:
    """Grant a business, or change what is granted in it (授权); tokens from before are worthless.

    404 `binding-not-found`, `business-not-found`; 409 `binding-not-active`,
    `grantee-level-too-low`; 422 `no-action`, `action-not-offered`, `bad-grant-region`,
    `bad-validity`.
    """
    seen = versions.expected_version(required=False)
    wish = schemas.wish_of(business, said, shanghai_date(now()))
    with transaction() as db:
        return _shown(actions.grant(db, binding_id, [wish], actor=actor(), now=now(), seen=seen))


@grants.route("/sub-accounts/<binding_id>/grants/<business>", methods=["DELETE"])
@managing
@grants.response(200, schemas.GrantsSchema, example=EXAMPLE | {"items": [], "permissions": []})
def withdraw(binding_id: str, business: str) -> dict[str, Any]:
    """Take a business away, at once (撤回授权).

    404 `binding-not-found`, `grant-not-found`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return _shown(
            actions.withdraw(db, binding_id, business, actor=actor(), now=now(), seen=seen)
        )


@grants.route("/sub-accounts/<binding_id>/roles/<role>", methods=["POST"])
@managing
@grants.arguments(schemas.ValidityWishSchema, example={"valid_until": "2027-11-20"})
@grants.response(200, schemas.GrantsSchema, example=EXAMPLE)
def apply_role(said: dict[str, date | None], binding_id: str, role: str) -> dict[str, Any]:
    """Grant everything a role usually needs (按角色模板授权).

    404 `role-not-found`; the others as for a single grant.
    """
    with transaction() as db:
        return _shown(
            actions.apply_template(db, binding_id, role, **said, actor=actor(), now=now())
        )


def _shown(binding: Binding, *, ended: bool = False) -> dict[str, Any]:
    with reading() as db:
        find = queries.all_grants if ended else queries.live_grants
        today = shanghai_date(now())
        return {
            "items": find(db, binding.id),
            "permissions": queries.permissions_of(db, binding, today=today),
            "version": versions.tag(binding).version,
        }
