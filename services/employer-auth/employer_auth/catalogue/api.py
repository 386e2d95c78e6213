"""HTTP for the catalogue of businesses."""

from __future__ import annotations

from employer_auth.catalogue import queries, schemas
from employer_auth.catalogue.model import Business
from servicekit.web.access import public
from servicekit.web.api import Blueprint
from servicekit.web.session import reading

businesses = Blueprint(
    "businesses", __name__, url_prefix="/businesses", description="业务目录：可以授权的业务"
)


@businesses.route("", methods=["GET"])
@public
@businesses.response(200, schemas.BusinessesSchema, example={"items": [schemas.EXAMPLE_BUSINESS]})
def list_businesses() -> dict[str, list[Business]]:
    """Every business a unit can grant, with the levels it asks for (业务目录).

    `person_level` is on HRSS's scale, `unit_level` on the province's; `unit_account`: the unit's
    own account may do it without an agent.
    """
    with reading() as db:
        return {"items": queries.list_businesses(db)}
