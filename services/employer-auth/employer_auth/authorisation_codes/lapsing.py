"""What becomes of applications nobody goes on with: their papers are not kept for ever (AL-05)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from employer_auth.authorisation_codes import handing_in, queries, rules
from employer_auth.authorisation_codes.model import AuthorisationApplication
from employer_auth.bindings.moves import ITSELF
from employer_auth.files import Upload
from servicekit import reviewing
from servicekit.applications import advance
from servicekit.uploads import Uploads


def lapse(
    db: Session,
    application_id: str,
    *,
    uploads: Uploads[Upload],
    now: datetime,
    before: datetime,
    keep_for: timedelta,
) -> None:
    """End what was left alone: a draft is deleted, a returned case is withdrawn.

    Args:
        before: what was touched later stays.
    """
    application = db.get(AuthorisationApplication, application_id, with_for_update=True)
    if application is None:
        return  # its owner was faster
    if all(rules.is_draft(case.state) for case in application.cases):
        for subject in (application.id, *(case.id for case in application.cases)):
            uploads.detach(db, subject, keep=(), now=now)
        db.delete(application)
        db.flush()
        return
    for case in queries.in_order(application.cases):
        if rules.is_editable(case.state) and case.updated_at < before:
            reviewing.close(case)
            advance(db, rules.WORKFLOW, case, "lapse", actor=ITSELF, now=now)
    handing_in.let_files_go(db, application, uploads, at=now + keep_for)
