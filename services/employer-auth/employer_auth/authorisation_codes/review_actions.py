"""What officers do with a unit's part of an application: two of them, never the same one twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from employer_auth.authorisation_codes import actions, codes, handing_in, queries, rules
from employer_auth.authorisation_codes.handing_in import Form
from employer_auth.authorisation_codes.model import AuthorisationApplication, AuthorisationCase
from employer_auth.authorisation_codes.rules import Channel
from employer_auth.bindings.model import Binding
from employer_auth.files import Upload
from servicekit import reviewing
from servicekit.access_records import reveal
from servicekit.applications import Actor, advance
from servicekit.claims import Decision, check_four_eyes
from servicekit.uploads import Uploads


def claim(db: Session, case_id: str, *, actor: Actor, now: datetime) -> AuthorisationCase:
    """Hold it for fifteen minutes.

    Raises:
        ApplicationNotFound, ClaimedByOther, WrongState, WrongRole, SameOfficer
    """
    case = queries.find_case(db, case_id, actor)
    check_four_eyes(case.accepted_by, actor.id)
    reviewing.claim(db, rules.WORKFLOW, case, actor=actor, now=now)
    return case


def release(db: Session, case_id: str, *, actor: Actor, now: datetime) -> AuthorisationCase:
    """Give it back.

    Raises:
        ApplicationNotFound, NotClaimed
    """
    case = queries.find_case(db, case_id, actor)
    reviewing.release(db, case, actor=actor, now=now)
    return case


def accept(
    db: Session,
    case_id: str,
    *,
    actor: Actor,
    now: datetime,
    note: str | None,
    seen: int | None = None,
) -> AuthorisationCase:
    """初审通过: another officer decides (AL-02).

    Raises:
        ApplicationNotFound, ClaimedByOther, WrongState, ChangedMeanwhile
    """
    case = queries.find_case(db, case_id, actor, seen=seen)
    reviewing.check_free(case, actor, now)
    case.accepted_by = actor.id
    case.claimed_by = case.claimed_until = None
    advance(db, rules.WORKFLOW, case, "accept", actor=actor, now=now, note=note)
    return case


def approve(
    db: Session,
    case_id: str,
    *,
    uploads: Uploads[Upload],
    actor: Actor,
    now: datetime,
    lasts: timedelta,
    keep_for: timedelta,
    note: str | None,
    seen: int | None = None,
) -> AuthorisationCase:
    """复核通过, by another officer than the first; the code goes to the agent.

    Args:
        lasts: how long the code may be entered.
        keep_for: how long the materials are kept.

    Raises:
        ApplicationNotFound, SameOfficer, ClaimedByOther, WrongState, ChangedMeanwhile
    """
    case = _to_decide(db, case_id, actor, now, seen)
    check_four_eyes(case.accepted_by, actor.id)
    reviewing.settle(case)
    advance(db, rules.WORKFLOW, case, "approve", actor=actor, now=now, note=note)
    codes.issue(db, case, now=now, lasts=lasts)
    handing_in.let_files_go(db, case.application, uploads, at=now + keep_for)
    return case


def send_back(
    db: Session,
    case_id: str,
    decision: Decision,
    *,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> AuthorisationCase:
    """退回补正: the time limit stands still until the agent submits again (AL-09).

    Raises:
        ApplicationNotFound, ClaimedByOther, WrongState, ChangedMeanwhile
    """
    case = _to_decide(db, case_id, actor, now, seen)
    reviewing.pause(case, now=now)
    reviewing.settle(case, decision)
    case.accepted_by = None
    advance(db, rules.WORKFLOW, case, "return", actor=actor, now=now, note=decision.reason)
    return case


def reject(
    db: Session,
    case_id: str,
    decision: Decision,
    *,
    uploads: Uploads[Upload],
    actor: Actor,
    now: datetime,
    keep_for: timedelta,
    seen: int | None = None,
) -> AuthorisationCase:
    """审核不通过, with the reason.

    Raises:
        ApplicationNotFound, ClaimedByOther, WrongState, ChangedMeanwhile
    """
    case = _to_decide(db, case_id, actor, now, seen)
    reviewing.settle(case, decision)
    advance(db, rules.WORKFLOW, case, "reject", actor=actor, now=now, note=decision.reason)
    handing_in.let_files_go(db, case.application, uploads, at=now + keep_for)
    return case


def revoke(
    db: Session, case_id: str, *, actor: Actor, now: datetime, reason: str
) -> AuthorisationCase:
    """撤销, by an officer of the unit's region.

    Raises:
        ApplicationNotFound, WrongState
    """
    return codes.revoke(
        db, queries.find_case(db, case_id, actor), actor=actor, now=now, reason=reason
    )


def take_in(
    db: Session,
    binding_id: str,
    form: Form,
    *,
    uploads: Uploads[Upload],
    originals_seen: bool,
    actor: Actor,
    now: datetime,
    review_days: int,
    note: str | None,
) -> AuthorisationApplication:
    """窗口受理: the officer scans the papers and has compared the originals (EA-08).

    The window's own look is the first of the four eyes; another officer decides.

    Args:
        form: the files alone; the unit is the binding's.

    Raises:
        OriginalsNotSeen, NotBoundTo, and as ``actions.open_draft`` and ``actions.file``.
    """
    if not originals_seen:
        raise rules.OriginalsNotSeen
    binding = queries.find_binding(db, binding_id, actor)
    if binding is None:
        raise rules.NotBoundTo
    per_unit, of_agent = _sorted(db, form.materials, uploads, actor)
    application = actions.open_draft(
        db,
        Form({binding.unit_id: per_unit}, of_agent),
        uploads=uploads,
        person_id=binding.person_id,
        actor=actor,
        now=now,
        channel=Channel.COUNTER,
    )
    actions.file(
        db,
        application,
        uploads=uploads,
        actor=actor,
        now=now,
        review_days=review_days,
        note=note,
    )
    accept(db, application.cases[0].id, actor=actor, now=now, note=note)
    return application


def look_at_file(
    db: Session,
    case_id: str,
    upload_id: str,
    *,
    uploads: Uploads[Upload],
    actor: Actor,
    now: datetime,
) -> tuple[Upload, bytes]:
    """A file of a case of the officer's region; the look is on record (AL-04, AL-05).

    Raises:
        ApplicationNotFound, UploadNotFound, StorageUnavailable
    """
    case = queries.find_case(db, case_id, actor)
    subjects = (case.id, case.application_id)
    row = uploads.find(db, upload_id, Upload.subject_id.in_(subjects))
    reason = f"审核单位授权码申请 {case.number}"
    return row, uploads.look(db, row, actor=actor, reason=reason, now=now)


def look_at_agent(
    db: Session, case_id: str, *, actor: Actor, now: datetime, reason: str
) -> dict[str, str]:
    """The agent's name in full; the look is on record with its reason (AL-04).

    Raises:
        ApplicationNotFound, ReasonMissing
    """
    case = queries.find_case(db, case_id, actor)
    binding = db.get_one(Binding, case.binding_id)
    name = reveal(
        db,
        binding.person_name,
        column="binding.person_name",
        record_id=binding.id,
        owner_id=binding.person_id,
        actor=actor,
        reason=reason,
        now=now,
    )
    return {"person_name": name}


def _to_decide(
    db: Session, case_id: str, actor: Actor, now: datetime, seen: int | None
) -> AuthorisationCase:
    case = queries.find_case(db, case_id, actor, seen=seen)
    reviewing.check_free(case, actor, now)
    return case


def _sorted(
    db: Session, ids: Sequence[str], uploads: Uploads[Upload], actor: Actor
) -> tuple[list[str], list[str]]:
    """The window's files as those of the unit and those of the agent."""
    mine = Upload.owner_id == actor.id
    agents = {kind.code for kind in rules.OF_AGENT}
    rows = [uploads.find(db, upload_id, mine) for upload_id in ids]
    return (
        [row.id for row in rows if row.kind not in agents],
        [row.id for row in rows if row.kind in agents],
    )
