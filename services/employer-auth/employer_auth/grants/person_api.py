"""HTTP for persons: what one's units have granted (EA-06)."""

from __future__ import annotations

from typing import Any

from employer_auth.bindings import queries as bindings
from employer_auth.grants import queries, schemas
from servicekit.clock import shanghai_date
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading
from servicekit.workflow import Role

own_grants = Blueprint("own-grants", __name__, description="授权：我可以为单位办理的业务")


@own_grants.route("/parent-accounts/<binding_id>/grants", methods=["GET"])
@access(Role.APPLICANT, kinds=("person",))
@own_grants.response(
    200,
    schemas.GrantsSchema,
    example={
        "items": [schemas.EXAMPLE_GRANT],
        "permissions": ["recruitment.jobs:submit"],
        "version": 4,
    },
)
def list_own_grants(binding_id: str) -> dict[str, Any]:
    """What one may do for a unit.

    404 `binding-not-found`.
    """
    with reading() as db:
        binding = bindings.find_of_person(db, binding_id, actor())
        return {
            "items": queries.live_grants(db, binding.id),
            "permissions": queries.permissions_of(db, binding, today=shanghai_date(now())),
            "version": versions.tag(binding).version,
        }
