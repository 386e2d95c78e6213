"""HTTP for service guides: anyone reads them, persons ask whether a form would open."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, request
from marshmallow import Schema

from employment_registry.guide_versions import GuideVersion, newest
from employment_registry.guides import actions, queries, rules, schemas
from employment_registry.guides.actions import Text
from employment_registry.parts import asking_person
from servicekit.clock import shanghai_date
from servicekit.web.access import access, public
from servicekit.web.api import Blueprint
from servicekit.web.filing import page as one_page
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, app, now, reading, transaction
from servicekit.workflow import Role

KEPT_SECONDS: Final = 60  # so old a guide may be that a browser or a proxy shows again unasked
EXAMPLE_VERSION: Final = {
    "version": 1,
    "title": "变更服务地",
    "published_at": "2026-09-01T02:00:00+00:00",
}
_UNCHANGED: Final = {"304": {"description": "As the ETag in If-None-Match says."}}

guides = Blueprint("guides", __name__, url_prefix="/guides", description="办事指南")
checks = Blueprint(
    "guide-checks", __name__, url_prefix="/guide-checks", description="办事指南：核对办理条件"
)


@guides.route("", methods=["GET"])
@public
@guides.doc(responses=_UNCHANGED)
@guides.response(200, schemas.GuideListSchema, example={"items": [schemas.EXAMPLE_LINE]})
def list_guides() -> Response:
    """Every business that has a guide (办事指南)."""
    with reading() as db:
        items = queries.lines(db)
    return _cacheable(schemas.GuideListSchema(), {"items": items})


@guides.route("/<item>", methods=["GET"])
@public
@guides.arguments(schemas.RegionSchema, location="query")
@guides.doc(responses=_UNCHANGED)
@guides.response(200, schemas.GuideSchema, example=schemas.EXAMPLE_GUIDE)
def show_guide(query: dict[str, Any], item: str) -> Response:
    """What to know before applying, with the office of a region (基本信息、条件、材料、时限、咨询).

    The newest version unless another is named; time limit and ages are those of the policies in
    force. Answers carry an ETag. 404 `guide-not-found`; 422 `region-unknown`.
    """
    with reading() as db:
        guide = queries.read(db, item, **query, today=shanghai_date(now()))
    return _cacheable(schemas.GuideSchema(), guide)


@guides.route("/<item>/versions", methods=["GET"])
@public
@guides.arguments(PageArguments, location="query")
@guides.response(200, page_schema(schemas.GuideVersionSchema), example=one_page(EXAMPLE_VERSION))
def list_versions(page: Page, item: str) -> Any:
    """Every version of a guide, the newest first; each stays readable.

    404 `guide-not-found`.
    """
    rules.business(item)
    with reading() as db:
        return page_of(db, queries.versions(item), page, by=(GuideVersion.version,))


@guides.route("/<item>/versions", methods=["POST"])
@access(Role.ADMIN)
@guides.arguments(
    schemas.GuideTextSchema,
    example={"replaces": 1, "title": "变更服务地", "content": schemas.EXAMPLE_CONTENT},
)
@guides.response(201, schemas.GuideVersionSchema, example=EXAMPLE_VERSION | {"version": 2})
def publish(text: Text, item: str) -> GuideVersion:
    """Publish a new version, as the province's admin (发布).

    403 `province-admin-required`; 404 `guide-not-found`; 409 `changed-meanwhile` when another
    version was published since; 422 `guide-incomplete`.
    """
    with transaction() as db:
        return actions.publish(db, item, text, actor=actor(), now=now())


@checks.route("/<item>", methods=["GET"])
@access(Role.APPLICANT, level=2, kinds=("person",))
@checks.response(200, schemas.GuideCheckSchema, example=schemas.EXAMPLE_CHECK)
def check(item: str) -> dict[str, Any]:
    """Would the form open for me now? Each condition, met or not, and what to do next.

    The same conditions that open the form; 404 `guide-not-found`; 503 `external-unavailable`.
    """
    business = rules.business(item)
    person = asking_person()
    asking = queries.Asking(person, actor(), shanghai_date(now()))
    with reading() as db:
        found = queries.assessed(db, item, asking)
        version = newest(db)[item].version
    return {
        "item": item,
        "version": version,
        "may_open": all(each.met for each in found),
        "form": business.form,
        "conditions": found,
    }


def _cacheable(schema: Schema, document: object) -> Response:
    """The same document is the same ETag; who has it is told so in a line."""
    response = Response(app().json.dumps(schema.dump(document)), mimetype="application/json")
    response.add_etag()
    response.cache_control.public, response.cache_control.max_age = True, KEPT_SECONDS
    response.make_conditional(request)
    return response
