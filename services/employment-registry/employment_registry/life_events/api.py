"""HTTP for persons: what is going to end because of what happened, and an objection to it."""

from __future__ import annotations

from typing import Any

from employment_registry.guide_links import link_guides
from employment_registry.life_events import actions, queries, schemas
from employment_registry.life_events.model import PlannedEnding
from employment_registry.life_events.opening_rules import GUIDE
from servicekit import filing, history
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.filing import EXAMPLE_ENTRY, HistoryEntrySchema
from servicekit.web.filing import page as one_page
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

endings = Blueprint(
    "planned-endings",
    __name__,
    url_prefix="/planned-endings",
    description="终止告知与申诉：本人",
)
own = access(Role.APPLICANT, level=2, kinds=("person",))
link_guides(endings, [GUIDE])


@endings.route("", methods=["GET"])
@own
@endings.arguments(PageArguments, location="query")
@endings.response(200, page_schema(schemas.EndingSchema), example=one_page(schemas.EXAMPLE_ENDING))
def list_own(page: Page) -> Any:
    """What ends or ended because of what happened to one, newest first (终止告知)."""
    with reading() as db:
        return page_of(db, queries.own(actor()), page, by=queries.NEWEST)


@endings.route("/<ending_id>", methods=["GET"])
@own
@endings.response(200, schemas.EndingSchema, example=schemas.EXAMPLE_ENDING)
def show_own(ending_id: str) -> PlannedEnding:
    """One of them: why, from which day on, and until when one may object."""
    with reading() as db:
        return versions.tag(queries.find_own(db, ending_id, actor()))


@endings.route("/<ending_id>/history", methods=["GET"])
@own
@endings.response(200, HistoryEntrySchema(many=True), example=[EXAMPLE_ENTRY])
def list_history(ending_id: str) -> list[history.Entry]:
    """What became of it, oldest first (办理进度)."""
    with reading() as db:
        return filing.progress(db, queries.find_own(db, ending_id, actor()).id)


@endings.route("/<ending_id>/object", methods=["POST"])
@own
@endings.arguments(schemas.ObjectionSchema, example={"explanation": "本人未入职该单位。"})
@endings.response(200, schemas.EndingSchema, example=schemas.EXAMPLE_ENDING)
def object_to(body: dict[str, str], ending_id: str) -> PlannedEnding:
    """Say that it is not so; an officer decides, and until then nothing ends (申诉).

    409 `objection-too-late`, `wrong-state`.
    """
    seen, said = versions.expected_version(required=False), body["explanation"]
    with transaction() as db:
        return versions.tag(
            actions.object_to(db, ending_id, said, actor=actor(), now=now(), seen=seen)
        )


@endings.route("/<ending_id>/withdraw", methods=["POST"])
@own
@endings.response(200, schemas.EndingSchema, example=schemas.EXAMPLE_ENDING)
def withdraw(ending_id: str) -> PlannedEnding:
    """Take the objection back; the ending takes effect on its day (撤回申诉).

    409 `wrong-state`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(actions.withdraw(db, ending_id, actor=actor(), now=now(), seen=seen))


@endings.route("/<ending_id>/urge", methods=["POST"])
@own
@endings.arguments(NoteSchema, example={"note": "即将终止，请尽快核实"})
@endings.response(200, schemas.EndingSchema, example=schemas.EXAMPLE_ENDING)
def urge(body: dict[str, Any], ending_id: str) -> PlannedEnding:
    """Ask that the objection be decided on; the officers see it in their queue (催办).

    409 `urged-already` (with `next_on`): once per working day; `urged-enough`; `wrong-state`.
    """
    seen, note = versions.expected_version(required=False), body["note"]
    with transaction() as db:
        return versions.tag(
            actions.urge(db, ending_id, actor=actor(), now=now(), note=note, seen=seen)
        )
