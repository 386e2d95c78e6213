"""What a person can do with their certificate: apply for it, and have it replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.certificate import queries, rules
from employment_registry.certificate.model import CertificateApplication
from employment_registry.person import Person
from employment_registry.person_columns import columns_of
from employment_registry.standing import PersonKey
from servicekit import reviewing
from servicekit.applications import Actor, advance, take_number
from servicekit.db import unique_violation
from servicekit.filing import Filings

FILINGS = Filings(
    workflow=rules.WORKFLOW,
    model=CertificateApplication,
    not_found=rules.ApplicationNotFound,
    closed=reviewing.close,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the person says when they open the form; ``certificate`` holds the fields given."""

    kind: rules.Kind
    certificate: Mapping[str, Any]


def open_draft(
    db: Session, opening: Opening, *, person: Person, actor: Actor, now: datetime
) -> CertificateApplication:
    """Open the form for a first certificate or a replacement.

    Raises:
        AlreadyCertified, NotRegistered, NoCertificate: not now.
        OpenApplication: another one is not decided yet.
    """
    _check_kind(db, opening.kind, person.key)
    application = CertificateApplication(
        applicant_id=actor.id,
        filed_by=actor.person_id or actor.id,
        state=rules.WORKFLOW.start,
        kind=opening.kind,
        created_at=now,
        updated_at=now,
        **(columns_of(person) | {"contact_phone": person.phone} | dict(opening.certificate)),
    )
    try:
        with db.begin_nested():
            db.add(application)
    except IntegrityError as error:
        if unique_violation(error) is None:
            raise
        other = queries.find_open(db, actor.id)
        raise rules.OpenApplication(extra={"application_id": other}) from error
    return application


def submit(
    db: Session,
    application_id: str,
    *,
    actor: Actor,
    now: datetime,
    review_days: int,
    note: str | None = None,
    seen: int | None = None,
) -> CertificateApplication:
    """Check everything and send it to review; the first time it gets its 受理编号 (ER-08).

    Raises:
        Incomplete: every field that is missing or wrong, at once.
        AlreadyCertified, NotRegistered, NoCertificate: it changed since the form was opened.
    """
    application = FILINGS.find(db, application_id, actor, seen)
    rules.WORKFLOW.next_state("submit", application.state, actor.role)
    _check_kind(db, application.kind, application.person_key)
    stated = {name: getattr(application, name) for name in rules.STATEMENT_FIELDS}
    rules.check_submission(application.kind, rules.Statement(**stated))
    region = application.service_place or ""
    if application.number is None:
        application.number = take_number(db, region=region, business=rules.BUSINESS_DIGITS, now=now)
    application.region = region
    reviewing.begin(application, days=review_days, now=now)
    advance(db, rules.WORKFLOW, application, "submit", actor=actor, now=now, note=note)
    return application


def _check_kind(db: Session, kind: rules.Kind, person_key: PersonKey) -> None:
    rules.check_kind(
        kind,
        has_certificate=queries.hold_valid(db, person_key) is not None,
        is_registered=standing.find(db, person_key) is not None,
    )
