"""HTTP for the window: an agent brings the papers, an officer scans them and takes them in."""

from __future__ import annotations

from typing import Any

from employer_auth.authorisation_codes import review_actions, rules, schemas
from employer_auth.authorisation_codes import review_schemas as shown
from employer_auth.authorisation_codes.handing_in import Form
from employer_auth.authorisation_codes.model import AuthorisationApplication
from employer_auth.parts import parts
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, transaction
from servicekit.web.uploads import add_uploads
from servicekit.workflow import Role

counter = Blueprint(
    "authorisation-code-counter",
    __name__,
    url_prefix="/authorisation-code-counter-applications",
    description="单位授权码：窗口受理",
)
counter_uploads = Blueprint(
    "counter-uploads", __name__, url_prefix="/counter-uploads", description="窗口扫描件"
)
window = access(Role.WINDOW, business=rules.WORKFLOW.name)
add_uploads(
    counter_uploads,
    lambda: parts().uploads,
    rules.FILES,
    mark=window,
    owner=lambda officer: officer.id,
)


@counter.route("", methods=["POST"])
@window
@counter.arguments(shown.CounterApplicationSchema, example=shown.EXAMPLE_COUNTER)
@counter.response(201, schemas.AuthorisationApplicationSchema, example=schemas.EXAMPLE_APPLICATION)
def take_in_at_counter(body: dict[str, Any]) -> AuthorisationApplication:
    """Take an application in at the window, with scans of the papers (窗口受理, EA-08).

    It is reviewed by this officer and waits for another one's decision. 404 `upload-not-found`;
    409 `not-bound-to-unit`, `application-open`, `already-authorised`, `code-waiting`; 422
    `originals-not-seen`, `application-incomplete`.
    """
    with transaction() as db:
        return review_actions.take_in(
            db,
            body["binding_id"],
            Form({}, tuple(body["materials"])),
            uploads=parts().uploads,
            originals_seen=body["originals_seen"],
            actor=actor(),
            now=now(),
            review_days=parts().settings.code_review_days,
            note=body["note"],
        )
