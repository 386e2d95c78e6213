"""What a person can do with their certificate: apply for it, and have it replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from employment_registry.certificate import queries, rules
from employment_registry.certificate.model import CertificateApplication
from employment_registry.certificate.opening_rules import CONDITIONS, GUIDES
from employment_registry.checks.actions import Checked
from employment_registry.conditions import require
from employment_registry.person import Person
from employment_registry.person_forms import file_form, open_form
from servicekit import reviewing
from servicekit.applications import Actor
from servicekit.filing import Filings

FILINGS = Filings(
    workflow=rules.WORKFLOW,
    model=CertificateApplication,
    not_found=rules.ApplicationNotFound,
    closed=reviewing.close,
)
CHECKED = Checked(
    workflow=rules.WORKFLOW,
    model=CertificateApplication,
    digits=rules.BUSINESS_DIGITS,
    asked=rules.ASKED,
    days=lambda limit: limit.certificate,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the person says when they open the form; ``certificate`` holds the fields given.

    ``replaces`` is the id of the certificate whose 补换 they pressed, ``copy_of`` that of an own
    application whose statement is taken over.
    """

    kind: rules.Kind
    certificate: Mapping[str, Any]
    replaces: str | None = None
    copy_of: str | None = None


def open_draft(
    db: Session, opening: Opening, *, person: Person, actor: Actor, now: datetime
) -> CertificateApplication:
    """Open the form for a first certificate or a replacement.

    Raises:
        AlreadyCertified, NotRegistered, NoCertificate: not now.
        NotTheNewest: the certificate to be replaced is not the valid one.
        ApplicationNotFound: there is none to be copied.
        OpenApplication: another one is not decided yet.
    """
    require(CONDITIONS[opening.kind], queries.situation(db, person.key, actor.id))
    current = queries.hold_valid(db, person.key, actor.id)
    rules.check_newest(opening.replaces, current.id if current else None)
    copied = opening.copy_of
    stated = {} if copied is None else _statement(FILINGS.find(db, copied, actor))
    return open_form(
        db,
        FILINGS,
        {"kind": opening.kind, **stated, **opening.certificate},
        person=person,
        actor=actor,
        now=now,
        open_application=rules.OpenApplication,
    )


def submit(
    db: Session,
    application_id: str,
    *,
    actor: Actor,
    now: datetime,
    off: Collection[str],
    note: str | None = None,
    seen: int | None = None,
) -> CertificateApplication:
    """Check everything and file it; the first time it gets its 受理编号 (ER-08).

    Raises:
        Incomplete: every field that is missing or wrong, at once.
        AlreadyCertified, NotRegistered, NoCertificate: it changed since the form was opened.
    """
    application = FILINGS.find(db, application_id, actor, seen)
    rules.WORKFLOW.next_state("submit", application.state, actor.role)
    # Not held: the one that is approved is looked at again.
    situation = queries.situation(db, application.person_key, actor.id, hold=False)
    require(CONDITIONS[application.kind], situation)
    rules.check_submission(application.kind, rules.Statement(**_statement(application)))
    file_form(
        db,
        CHECKED,
        application,
        region=application.service_place,
        guide=GUIDES[application.kind],
        off=off,
        actor=actor,
        now=now,
        note=note,
    )
    return application


def _statement(application: CertificateApplication) -> dict[str, Any]:
    return {name: getattr(application, name) for name in rules.STATEMENT_FIELDS}
