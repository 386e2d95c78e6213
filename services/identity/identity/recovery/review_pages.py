"""The desk's two queues of recoveries: claimed, looked at, decided; forms only, no script."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, request
from sqlalchemy.orm import Session

from identity import desk
from identity.parts import parts
from identity.recovery import rules
from identity.recovery.model import Upload
from identity.recovery.queries import Recovery
from identity.recovery.review_api import PERSONS, UNITS, Deciding
from servicekit import access_records, history
from servicekit.applications import Actor
from servicekit.claims import WAITING, Decision, is_overdue, reason_text
from servicekit.clock import shanghai_date
from servicekit.errors import ChangedMeanwhile, FieldError, Invalid
from servicekit.personal import Personal
from servicekit.queues import QueueFilters, order_of
from servicekit.reviewing import holder
from servicekit.web.access import public
from servicekit.web.paging import Page, page_of
from servicekit.web.session import now
from servicekit.web.uploads import sent

blueprint = Blueprint(
    "desk_recoveries", __name__, url_prefix=desk.DESK, template_folder="templates"
)

_PLACES: Final[dict[str, tuple[str, Deciding[Any]]]] = {
    "person-recoveries": ("个人账号找回审核", PERSONS),
    "unit-recoveries": ("单位账号找回审核", UNITS),
}
_WHERE: Final = "/<any('person-recoveries', 'unit-recoveries'):place>"
_LONGEST: Final = 500
_CLEAR: Final = ("contact_name", "contact_phone", "document_number")
_DECIDED: Final = {
    "endorse": "初审通过，等待另一人复核。",
    "approve": "已通过，结果已发送。",
    "return": "已退回补正。",
    "reject": "已不予通过。",
}
_MOVES: Final = {
    "submit": "提交",
    "claim": "认领",
    "endorse": "初审通过",
    "approve": "审核通过",
    "return": "退回补正",
    "reject": "不予通过",
    "stop": "由原手机停止",
    "withdraw": "撤回同意",
}


class ReasonMissing(Invalid):
    """A decision against somebody says why."""

    code = "reason-required"
    default_message = "请选择常用理由或填写说明"


@blueprint.get(_WHERE)
@public
def show_queue(place: str) -> Response:
    """What waits in the officer's region and below, what is due first stands first (ID-15)."""
    title, reviews = _PLACES[place]
    everything = request.args.get("all") == "1"

    def act(db: Session, by: Actor) -> Response:
        filters = QueueFilters()
        wanted = reviews.queue(by, filters, now())
        if not everything:
            wanted = wanted.where(reviews.model.state.in_(WAITING))
        order, descending = order_of(reviews.model, filters.order)
        page = Page(cursor=request.args.get("cursor", "")[:1000] or None)
        found = page_of(db, wanted, page, by=order, descending=descending)
        return desk.page(
            "desk-recoveries.html",
            by,
            here=place,
            path=f"{desk.DESK}/{place}",
            title=title,
            counts=reviews.count(db, by, now()),
            all=everything,
            cases=found.items,
            next=found.next_cursor,
            me=by.id,
            overdue=_is_late,
        )

    return desk.show(place, act)


@blueprint.get(f"{_WHERE}/<case_id>")
@public
def show_case(place: str, case_id: str) -> Response:
    """One case: what was said, which photographs, and what may be decided."""
    _, reviews = _PLACES[place]

    def act(db: Session, by: Actor) -> Response:
        return _case_page(db, by, place, reviews.find(db, case_id, by))

    return desk.show(place, act, back=f"{desk.DESK}/{place}")


@blueprint.post(f"{_WHERE}/<case_id>/<move>")
@public
def decide(place: str, case_id: str, move: str) -> Response:
    """Claim it, give it back, or decide; the same rules and the same record as the API's."""
    _, reviews = _PLACES[place]

    def act(db: Session, by: Actor) -> Response:
        if move == "claim":
            return _case_page(db, by, place, reviews.claim(db, case_id, actor=by, now=now()))
        if move == "release":
            return _case_page(db, by, place, reviews.release(db, case_id, actor=by, now=now()))
        if move == "reveal":
            return _reveal(db, by, place, reviews.find(db, case_id, by))
        if move not in _DECIDED:
            abort(404)
        seen = _typed("version")
        if not seen.isdecimal():
            raise ChangedMeanwhile
        case = reviews.decide(db, move, case_id, actor=by, now=now(), seen=int(seen), **_said(move))
        return _case_page(db, by, place, case, told=_DECIDED[move])

    return desk.do(place, act, back=f"{desk.DESK}/{place}/{case_id}")


@blueprint.post(f"{_WHERE}/<case_id>/files/<upload_id>")
@public
def look(place: str, case_id: str, upload_id: str) -> Response:
    """A photograph as it was kept; the look is on record (AL-04)."""
    _, reviews = _PLACES[place]

    def act(db: Session, by: Actor) -> Response:
        if not _typed("reason"):
            raise ReasonMissing
        uploads = parts().uploads
        case = reviews.find(db, case_id, by)
        row = uploads.find(db, upload_id, Upload.subject_id == case.id)
        return sent(row, uploads.look(db, row, actor=by, reason=_typed("reason"), now=now()))

    return desk.do(place, act, back=f"{desk.DESK}/{place}/{case_id}")


def _said(move: str) -> dict[str, Any]:
    if move in ("endorse", "approve"):
        return {"note": _typed("note") or None}
    known = [reason for reason in rules.REASONS if reason.move == move]
    reason = reason_text(known, _typed("reason_code"), _typed("reason"))
    if not reason:
        raise ReasonMissing(fields=[FieldError("/reason", "required", "请选择或填写理由")])
    allowed = {f"/files/{kind.code}" for kind in rules.KINDS}
    marked = tuple(each for each in request.form.getlist("fields") if each in allowed)
    return {"decision": Decision(reason, marked if move == "return" else ())}


def _reveal(db: Session, by: Actor, place: str, case: Recovery) -> Response:
    if not _typed("reason"):
        raise ReasonMissing
    clear = {
        name: access_records.reveal(
            db,
            value,
            column=f"{case.__tablename__}.{name}",
            record_id=case.id,
            owner_id=case.applicant_id,
            actor=by,
            reason=_typed("reason"),
            now=now(),
        )
        for name in _CLEAR
        if isinstance(value := getattr(case, name, None), Personal)
    }
    return _case_page(db, by, place, case, revealed=clear)


def _case_page(
    db: Session,
    by: Actor,
    place: str,
    case: Recovery,
    *,
    told: str | None = None,
    revealed: dict[str, str] | None = None,
) -> Response:
    _, reviews = _PLACES[place]
    held = holder(case, now())
    free = held is None or held.officer_id == by.id
    return desk.page(
        "desk-recovery.html",
        by,
        here=place,
        path=f"{desk.DESK}/{place}",
        case=case,
        told=told,
        revealed=revealed or {},
        me=by.id,
        moves=reviews.workflow.open_moves(case.state, by.role) if free else (),
        labels=rules.LABELS,
        reasons=rules.REASONS,
        record=history.list_history(db, case.id),
        move_names=_MOVES,
        overdue=_is_late,
    )


def _is_late(case: Recovery) -> bool:
    return is_overdue(case.state, case.due_on, shanghai_date(now()))


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:_LONGEST]
