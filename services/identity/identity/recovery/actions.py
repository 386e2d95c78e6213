"""Cases that officers decide on: opened by a visitor, filed with photographs, corrected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from identity.accounts import agreements
from identity.accounts.model import Account
from identity.accounts.rules import PERSON_NAME, check_standing
from identity.limits import Counts
from identity.messages import actions as messages
from identity.recovery import queries, rules, stops
from identity.recovery.model import PersonRecovery, UnitRecovery, Upload
from identity.recovery.queries import Recovery
from identity.recovery.rules import PERSON_WORKFLOW, UNIT_WORKFLOW, Goal, Matter, Side
from identity.sms_codes import actions as sms_codes
from identity.sms_codes.rules import WRONG_CODE, Purpose
from servicekit import regions, reviewing
from servicekit.applications import Actor, advance, take_number
from servicekit.clock import shanghai_date
from servicekit.db import new_id
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import DocumentKind, check_document
from servicekit.personal import DocumentNumber, MobileNumber, PersonalText, PersonName
from servicekit.uploads import Uploads
from servicekit.vault import Vault
from servicekit.workflow import Role, State, Workflow

CHANNEL = "identity_recovery"  # woken when a case is filed
VISITOR = "visitor"  # who files is nobody yet; events and history say no more


@dataclass(frozen=True, slots=True)
class Form:
    """What a visitor typed; a unit leaves the person's fields empty, and the other way round."""

    contact_name: str = field(repr=False)
    phone: str = field(repr=False)
    sms_code: str = field(repr=False)
    region: str
    document_type: DocumentKind | None = None
    document_number: str = field(default="", repr=False)
    login_name: str = field(default="", repr=False)
    certificate_number: str = ""
    unit_name: str = ""


def open_case(
    db: Session, matter: Matter, form: Form, *, counts: Counts, now: datetime
) -> tuple[Recovery, str]:
    """Keep what was typed; the same answer whether or not it matches an account.

    Returns: the case, and the query code, which is kept only hashed.

    Raises:
        FormRefused: with every wrong field, the code among them.
        RecoverySlowDown: this phone opened several today.
    """
    code_id = sms_codes.check(
        counts, phone=form.phone, purpose=Purpose.RECOVERY, code=form.sms_code, now=now
    )
    wrong = _check(matter, form, now=now)
    if code_id is None:
        wrong.append(WRONG_CODE)
    if wrong:
        raise rules.FormRefused(fields=wrong)
    wait = counts.take((rules.CASE_LIMIT,), form.phone, now=now)
    if wait is not None:
        raise rules.RecoverySlowDown(retry_after=wait)
    if code_id is None or not sms_codes.use(db, code_id, now=now):
        raise rules.FormRefused(fields=[WRONG_CODE])
    code = stops.new_code()
    case = _new_case(db, matter, form, code_hash=stops.hash_code(counts.vault, code), now=now)
    db.add(case)
    db.flush()
    return case, code


def submit(
    db: Session,
    case: Recovery,
    files: Mapping[str, str],
    *,
    consent: str,
    uploads: Uploads[Upload],
    code: str,
    now: datetime,
) -> None:
    """File it with its photographs, or file it again after a correction.

    The old phone is told by a job: were it told here, filing would take longer where there is an
    account than where there is none.

    Args:
        files: upload ids by the kind of photograph.
        consent: the version of the separate consent that was read.
        code: the query code, sent to the contact phone with the number.

    Raises:
        FormRefused: a photograph is missing, or the separate consent.
        WrongState: it waits for an officer already, or is decided.
    """
    needed = case.matter.needed
    missing = [
        FieldError(f"/{kind.code}", "file-missing", f"请上传{kind.label}")
        for kind in needed
        if kind.code not in files
    ]
    if not is_read(consent):
        missing.append(rules.CONSENT_NEEDED)
    if missing:
        raise rules.FormRefused(fields=missing)
    case.photos_consent, case.photos_consented_at = consent, now
    ids = [files[kind.code] for kind in needed]
    uploads.attach(db, ids, case.id, owner_id=case.id, now=now)
    uploads.detach(db, case.id, keep=ids, now=now)
    if case.number is None:
        digits = rules.BUSINESS_DIGITS[str(case.matter.side)]
        case.number = take_number(db, region=case.region or "44", business=digits, now=now)
    reviewing.begin(case, days=rules.REVIEW_DAYS, now=now)
    workflow = workflow_of(case)
    advance(db, workflow, case, "submit", actor=visitor(), now=now)
    words = {"number": case.number, "code": rules.shown_code(code)}
    _tell_contact(db, case, "recovery-filed", words, now=now)
    db.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


def is_read(version: str) -> bool:
    """Is it the separate consent in force that was read?"""
    wanted = agreements.find(rules.PHOTO_CONSENT)
    return wanted is not None and version == wanted.version


def endorse(db: Session, case: UnitRecovery, *, actor: Actor, now: datetime) -> None:
    """The first officer finds it good; another one approves."""
    case.endorsed_by, case.endorsed_at = actor.id, now


def tell_decision(db: Session, case: Recovery, template: str, *, now: datetime) -> None:
    """Tell the contact phone what was decided, with the reason; all of it stands on the page."""
    reason = (case.decision_reason or "无")[: rules.LONGEST_SMS_REASON]
    words = {"number": case.number or "", "reason": reason}
    _tell_contact(db, case, template, words, now=now)


def find_own(db: Session, number: str, code: str, *, vault: Vault) -> Recovery:
    """The case of whoever has number and query code.

    Raises:
        NoCase
    """
    case = queries.find_case(db, number.strip())
    hashed = stops.hash_code(vault, rules.plain_code(code))
    if case is None or case.code_hash != hashed:
        raise rules.NoCase
    return case


def forget_drafts(db: Session, *, now: datetime) -> None:
    """Remove cases whose photographs were never sent."""
    for table in (PersonRecovery, UnitRecovery):
        old = (table.number.is_(None), table.created_at < now - rules.DRAFT_LIFE)
        db.execute(table.__table__.delete().where(*old))  # type: ignore[attr-defined]


def workflow_of(case: Recovery) -> Workflow[State]:
    """The table of moves this case lives by."""
    return PERSON_WORKFLOW if case.matter.side is Side.PERSON else UNIT_WORKFLOW


def _tell_contact(
    db: Session, case: Recovery, template: str, words: Mapping[str, str], *, now: datetime
) -> None:
    messages.send_sms(
        db,
        template,
        words,
        phone=case.contact_phone,
        account_id=None,
        useless_at=None,
        now=now,
    )


def visitor() -> Actor:
    """Who files and withdraws."""
    return Actor(id=VISITOR, role=Role.APPLICANT, kind="visitor")


def _check(matter: Matter, form: Form, *, now: datetime) -> list[FieldError]:
    wrong = []
    if not PERSON_NAME.fullmatch(form.contact_name):
        wrong.append(FieldError("/contact_name", "name-malformed", "姓名应为 2–50 个汉字或字母"))
    if regions.find(form.region) is None:
        wrong.append(FieldError("/region", "region-unknown", "请选择办理地区"))
    if matter.side is Side.UNIT:
        if not form.certificate_number:
            wrong.append(FieldError("/certificate_number", "required", "请填写单位证件号码"))
        if not form.unit_name:
            wrong.append(FieldError("/unit_name", "required", "请填写单位名称"))
        return wrong
    if form.document_type is None:
        wrong.append(FieldError("/document_type", "required", "请选择证件类型"))
    else:
        try:
            check_document(form.document_type, form.document_number, shanghai_date(now))
        except Refusal as refusal:
            wrong.append(FieldError("/document_number", refusal.code, refusal.message))
    if matter.goal is Goal.PASSWORD and not form.login_name:
        wrong.append(FieldError("/login_name", "required", "请填写用户名"))
    return wrong


def _new_case(
    db: Session, matter: Matter, form: Form, *, code_hash: bytes, now: datetime
) -> Recovery:
    common = {
        "id": new_id(),
        "applicant_id": VISITOR,
        "goal": matter.goal,
        "region": form.region,
        "contact_name": PersonName(form.contact_name),
        "contact_phone": MobileNumber(form.phone),
        "code_hash": code_hash,
        "created_at": now,
        "updated_at": now,
        "fields_to_correct": [],
    }
    if matter.side is Side.UNIT:
        unit = queries.unit_of(db, form.certificate_number, form.unit_name)
        return UnitRecovery(
            **common,
            certificate_number=form.certificate_number,
            unit_name=form.unit_name,
            account_id=unit.account_id if unit else None,
        )
    kind = form.document_type or DocumentKind.RESIDENT_CARD
    number = check_document(kind, form.document_number, shanghai_date(now))
    found = queries.accounts_of_document(db, kind, number, form.contact_name)
    named = [a for a in found if _is_named(a, form.login_name)] if form.login_name else found
    return PersonRecovery(
        **common,
        document_type=kind,
        document_number=DocumentNumber(number),
        login_name=PersonalText(form.login_name) if form.login_name else None,
        account_id=_first_active(named),
    )


def _is_named(account: Account, login_name: str) -> bool:
    return account.login_name.expose().casefold() == login_name.casefold()


def _first_active(found: list[Account]) -> str | None:
    for account in found:
        try:
            check_standing(account.standing)
        except Refusal:
            continue
        return account.id
    return None
