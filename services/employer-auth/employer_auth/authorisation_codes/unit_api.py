"""HTTP for units: who asked for its codes, who has proved that they act for it, and ending it."""

from __future__ import annotations

from typing import Any

from employer_auth.authorisation_codes import codes, queries, schemas
from employer_auth.authorisation_codes.model import Authorisation
from employer_auth.bindings.rules import MANAGE
from servicekit import filing, history
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.filing import EXAMPLE_ENTRY, page
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

unit_authorisations = Blueprint(
    "unit-authorisations",
    __name__,
    url_prefix="/unit-authorisations",
    description="授权码实名：单位查看与撤销",
)
managing = access(Role.APPLICANT, kinds=("unit",), grants=MANAGE, unit_account=True)


@unit_authorisations.route("", methods=["GET"])
@managing
@unit_authorisations.arguments(PageArguments, location="query")
@unit_authorisations.response(
    200, page_schema(schemas.AuthorisationSchema), example=page(schemas.EXAMPLE_AUTHORISATION)
)
def list_unit_authorisations(query: Page) -> Any:
    """Everybody who ever proved a code for the unit, newest first (授权码实名, EA-11)."""
    with reading() as db:
        found = queries.of_unit(actor().id)
        return page_of(db, found, query, by=queries.NEWEST_AUTHORISATION)


@unit_authorisations.route("/cases", methods=["GET"])
@managing
@unit_authorisations.arguments(PageArguments, location="query")
@unit_authorisations.response(
    200, page_schema(schemas.UnitCaseSchema), example=page(schemas.EXAMPLE_UNIT_CASE)
)
def list_unit_cases(query: Page) -> Any:
    """Every application for a code of the unit, whoever filed it, newest first (EA-11)."""
    with reading() as db:
        found = queries.cases_of_unit(actor().id)
        return page_of(db, found, query, by=queries.NEWEST_CASE)


@unit_authorisations.route("/cases/<case_id>/history", methods=["GET"])
@managing
@unit_authorisations.response(200, schemas.CaseEntrySchema(many=True), example=[EXAMPLE_ENTRY])
def list_unit_case_history(case_id: str) -> list[history.Entry]:
    """What happened to one of them, oldest first: filed, decided, the code sent and entered.

    404 `application-not-found`.
    """
    with reading() as db:
        return filing.progress(db, queries.find_case_of_unit(db, case_id, actor().id).id)


@unit_authorisations.route("/<authorisation_id>/revoke", methods=["POST"])
@managing
@unit_authorisations.arguments(schemas.RevocationSchema, example={"reason": "经办人已离职"})
@unit_authorisations.response(
    200, schemas.AuthorisationSchema, example=schemas.EXAMPLE_AUTHORISATION
)
def revoke_authorisation(body: dict[str, str], authorisation_id: str) -> Authorisation:
    """The unit ends what the agent has proved (撤销授权码实名).

    404 `application-not-found`; 409 `wrong-state`: it is revoked already.
    """
    with transaction() as db:
        found = queries.find_of_unit(db, authorisation_id, actor().id)
        case = queries.find_its_case(db, found)
        codes.revoke(db, case, actor=actor(), now=now(), reason=body["reason"])
        return found
