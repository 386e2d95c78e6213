"""HTTP for agents: applying for authorisation codes, and entering them (授权码实名)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response

from employer_auth.authorisation_codes import actions, codes, queries, rules, schemas
from employer_auth.authorisation_codes.handing_in import Form
from employer_auth.authorisation_codes.model import (
    Authorisation,
    AuthorisationApplication,
    AuthorisationCase,
)
from employer_auth.parties import human
from employer_auth.parts import parts
from servicekit import filing, history
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.filing import EXAMPLE_ENTRY, page
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, keep_on_refusal, now, reading, transaction
from servicekit.web.uploads import add_uploads
from servicekit.workflow import Role

agent = access(Role.APPLICANT, level=2, kinds=("person", "unit"), acting=True)
applications = Blueprint(
    "authorisation-code-applications",
    __name__,
    url_prefix="/authorisation-code-applications",
    description="单位授权码：经办人的申请",
)
authorisations = Blueprint("authorisations", __name__, description="授权码实名")
uploads = Blueprint("uploads", __name__, url_prefix="/uploads", description="材料上传")
add_uploads(uploads, lambda: parts().uploads, rules.FILES, mark=agent, owner=human)


@applications.route("/materials", methods=["GET"])
@agent
@applications.response(200, schemas.MaterialKindSchema(many=True), example=[schemas.EXAMPLE_KIND])
def list_material_kinds() -> list[dict[str, str]]:
    """What has to be handed in (所需材料)."""
    of_unit = [{"code": k.code, "label": k.label, "for_": "unit"} for k in rules.OF_UNIT]
    return of_unit + [{"code": k.code, "label": k.label, "for_": "agent"} for k in rules.OF_AGENT]


@applications.route("", methods=["GET"])
@agent
@applications.arguments(PageArguments, location="query")
@applications.response(
    200, page_schema(schemas.AuthorisationRowSchema), example=page(schemas.EXAMPLE_ROW)
)
def list_authorisation_applications(query: Page) -> Any:
    """One's own applications, newest first."""
    with reading() as db:
        return page_of(db, queries.own_applications(human(actor())), query, by=queries.NEWEST)


@applications.route("", methods=["POST"])
@agent
@applications.arguments(schemas.AuthorisationFormSchema, example=schemas.EXAMPLE_FORM)
@applications.response(
    201, schemas.AuthorisationApplicationSchema, example=schemas.EXAMPLE_APPLICATION
)
def open_authorisation_draft(form: Form) -> AuthorisationApplication:
    """Open an application for one or more units (申请单位授权码, EA-07).

    409 `not-bound-to-unit`, `application-open`, `already-authorised`, `code-waiting`; 404
    `upload-not-found`; 422 `invalid` for a file in the wrong place.
    """
    person = human(actor())
    with transaction() as db:
        return versions.tag(
            actions.open_draft(
                db, form, uploads=parts().uploads, person_id=person, actor=actor(), now=now()
            )
        )


@applications.route("/<application_id>", methods=["GET"])
@agent
@applications.response(
    200, schemas.AuthorisationApplicationSchema, example=schemas.EXAMPLE_APPLICATION
)
def show_authorisation_application(application_id: str) -> AuthorisationApplication:
    """One's own application in full.

    404 `application-not-found`.
    """
    with reading() as db:
        return versions.tag(queries.find_own(db, application_id, human(actor())))


@applications.route("/<application_id>", methods=["PUT"])
@agent
@applications.arguments(schemas.AuthorisationFormSchema, example=schemas.EXAMPLE_FORM)
@applications.response(
    200, schemas.AuthorisationApplicationSchema, example=schemas.EXAMPLE_APPLICATION
)
def save_authorisation(form: Form, application_id: str) -> AuthorisationApplication:
    """Keep the whole form as it is now (保存); nothing is submitted.

    After a return only the materials of the returned units change. 409 `wrong-state`,
    `units-fixed`; 412 `changed-meanwhile`; 428 without If-Match; and as for opening.
    """
    seen, person = versions.expected_version(), human(actor())
    with transaction() as db:
        return versions.tag(
            actions.save(
                db,
                application_id,
                form,
                uploads=parts().uploads,
                person_id=person,
                actor=actor(),
                now=now(),
                seen=seen,
            )
        )


@applications.route("/<application_id>", methods=["DELETE"])
@agent
@applications.response(204)
def delete_authorisation_draft(application_id: str) -> Response:
    """Throw a draft away, with its files (删除).

    404 `application-not-found`; 409 `wrong-state`.
    """
    person = human(actor())
    with transaction() as db:
        actions.delete(
            db,
            application_id,
            uploads=parts().uploads,
            person_id=person,
            actor=actor(),
            now=now(),
        )
    return Response(status=204)


@applications.route("/<application_id>/submit", methods=["POST"])
@agent
@applications.arguments(NoteSchema, example={"note": None})
@applications.response(
    200, schemas.AuthorisationApplicationSchema, example=schemas.EXAMPLE_APPLICATION
)
def submit_authorisation(body: dict[str, Any], application_id: str) -> AuthorisationApplication:
    """Check everything and send each unit's part to the agency of its region (提交).

    After a return it sends the returned parts again. 422 `application-incomplete` names every
    missing material; 409 `wrong-state`, `not-bound-to-unit`, `already-authorised`,
    `unit-data-wrong` with the agency to call.
    """
    seen, person = versions.expected_version(required=False), human(actor())
    with transaction() as db:
        return versions.tag(
            actions.submit(
                db,
                application_id,
                uploads=parts().uploads,
                person_id=person,
                actor=actor(),
                now=now(),
                review_days=parts().settings.code_review_days,
                note=body["note"],
                seen=seen,
            )
        )


@applications.route("/<application_id>/withdraw", methods=["POST"])
@agent
@applications.arguments(NoteSchema, example={"note": "单位另行安排经办人"})
@applications.response(
    200, schemas.AuthorisationApplicationSchema, example=schemas.EXAMPLE_APPLICATION
)
def withdraw_authorisation(body: dict[str, Any], application_id: str) -> AuthorisationApplication:
    """Take back every part that is not decided yet (撤回).

    409 `wrong-state`: there is none.
    """
    person = human(actor())
    with transaction() as db:
        return versions.tag(
            actions.withdraw(
                db,
                application_id,
                uploads=parts().uploads,
                person_id=person,
                actor=actor(),
                now=now(),
                keep_for=timedelta(days=parts().settings.code_materials_days),
                note=body["note"],
            )
        )


@authorisations.route("/authorisation-code-cases/<case_id>/history", methods=["GET"])
@agent
@authorisations.response(200, schemas.CaseEntrySchema(many=True), example=[EXAMPLE_ENTRY])
def list_case_history(case_id: str) -> list[history.Entry]:
    """What happened to one unit's part of one's own application, oldest first (办理进度)."""
    with reading() as db:
        return filing.progress(db, queries.find_own_case(db, case_id, human(actor())).id)


@authorisations.route("/authorisation-code-cases/<case_id>/reissue", methods=["POST"])
@agent
@authorisations.arguments(NoteSchema, example={"note": None})
@authorisations.response(200, schemas.CaseSchema, example=schemas.EXAMPLE_CASE)
def reissue_code(_: dict[str, Any], case_id: str) -> AuthorisationCase:
    """Send a new code in place of one that did not arrive (重新发送授权码).

    The earlier one is worth nothing then. 409 `wrong-state`, `code-already-used`,
    `code-expired`; 429 `too-many-codes`.
    """
    person, days = human(actor()), parts().settings.code_days
    with transaction() as db:
        return versions.tag(
            codes.reissue(
                db,
                case_id,
                person_id=person,
                actor=actor(),
                now=now(),
                lasts=timedelta(days=days),
            )
        )


@authorisations.route("/authorisations", methods=["POST"])
@agent
@authorisations.arguments(
    schemas.RedemptionSchema, example={"code": "JZZ-XQB-K6E-PB2-WPV-JHC-Q0H-14Y-AH2"}
)
@authorisations.response(201, schemas.AuthorisationSchema, example=schemas.EXAMPLE_AUTHORISATION)
def redeem_code(body: dict[str, Any]) -> Authorisation:
    """Enter the code from the SMS (授权码实名, EA-09).

    404 `code-unknown`: not a code of one's own; 409 `code-already-used`, `code-expired`,
    `code-revoked`, `binding-suspended`, `binding-not-active`; 422 `code-mistyped`, which does not
    count as a try; 429 `too-many-codes`.
    """
    person = human(actor())
    with transaction() as db:
        keep_on_refusal()
        return codes.redeem(db, **body, person_id=person, actor=actor(), now=now())


@authorisations.route("/authorisations/current", methods=["GET"])
@access(Role.APPLICANT, kinds=("unit",), acting=True)
@authorisations.response(200, schemas.AuthorisationSchema, example=schemas.EXAMPLE_AUTHORISATION)
def show_current_authorisation() -> Authorisation:
    """What the present acting session has proved.

    403 `auth-code-not-activated`: nothing yet; business that needs it is refused so (REF-07).
    """
    with reading() as db:
        found = queries.live_authorisation(db, actor().binding or "")
        if found is None:
            raise rules.CodeNotActivated
        return found
