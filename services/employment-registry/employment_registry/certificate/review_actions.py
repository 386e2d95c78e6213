"""What officers do: an approval issues or replaces, and what is wrong is revoked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from employment_registry.certificate import issuing, queries, rules
from employment_registry.certificate.model import Certificate, CertificateApplication
from employment_registry.events import TELLER
from employment_registry.life_events import planning
from employment_registry.possible_duplicates import alike, certified
from servicekit.applications import Actor, advance
from servicekit.errors import ChangedMeanwhile
from servicekit.teamwork.reviews import TeamReviews


def approved(
    db: Session, application: CertificateApplication, *, actor: Actor, now: datetime
) -> None:
    """审核通过: the certificate is issued; the one before it is replaced at once (CRT-06).

    Raises:
        AlreadyCertified, NoCertificate, NotRegistered: it changed since the application was filed.
    """
    found = queries.situation(db, application.person_key, application.applicant_id)
    holds, is_registered = found.has_certificate, found.is_registered
    rules.check_kind(application.kind, has_certificate=holds, is_registered=is_registered)
    issuing.issue(db, application, now=now, certified_by=application)
    planning.weigh_again(db, application.applicant_id)


def revoke(
    db: Session,
    application_id: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    seen: int | None = None,
) -> CertificateApplication:
    """作废 the certificate of an application, with a reason.

    Raises:
        ApplicationNotFound, WrongState
        ChangedMeanwhile: it has been replaced.
    """
    application = REVIEWS.find(db, application_id, actor, seen)
    rules.WORKFLOW.next_state("revoke", application.state, actor.role)
    certificate = queries.find_of_application(db, application.id)
    if certificate is None or not certificate.can_be_replaced:
        raise ChangedMeanwhile
    advance(db, rules.WORKFLOW, application, "revoke", actor=actor, now=now, note=reason)
    issuing.revoke(db, certificate, now=now)
    return application


def revoke_issued(
    db: Session, certificate_id: str, *, actor: Actor, now: datetime, reason: str
) -> Certificate:
    """作废 a certificate by itself, as one that came with a registration and has no application.

    Raises:
        CertificateNotFound
        ChangedMeanwhile: it has been replaced or revoked.
    """
    certificate = queries.find_in_region(db, certificate_id, actor)
    if certificate.validity is not rules.Validity.VALID:
        raise ChangedMeanwhile
    application = db.get(CertificateApplication, certificate.application_id or "")
    if application is None:
        issuing.revoke_alone(db, certificate, actor=actor, now=now, reason=reason)
    else:
        advance(db, rules.WORKFLOW, application, "revoke", actor=actor, now=now, note=reason)
        issuing.revoke(db, certificate, now=now)
    return certificate


REVIEWS: TeamReviews[CertificateApplication] = TeamReviews(
    workflow=rules.WORKFLOW,
    model=CertificateApplication,
    filed=rules.FILED,
    not_found=rules.ApplicationNotFound,
    teller=TELLER,
    approved=approved,
    alike=alike(certified, lambda each: each.kind is rules.Kind.FIRST),
)
