"""Issues, replaces and revokes: the only writer of certificates."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from employment_registry.certificate import queries, rules
from employment_registry.certificate.model import Certificate, CertificateApplication
from employment_registry.certificate.policy import REGION_DIGITS, CertificatePolicy
from employment_registry.certificate.rules import Validity
from employment_registry.events import FACTS, CertificateChanged
from employment_registry.person_columns import PersonApplication, same_person
from employment_registry.policies import POLICIES
from servicekit.applications import Actor, record
from servicekit.clock import shanghai_date
from servicekit.outbox import announce
from servicekit.uniqueness import refusing_a_second

CODE_BYTES: Final = 16  # 128 bits: nobody finds a certificate by trying
_NEXT_SERIAL: Final = text(
    "INSERT INTO serial AS s (name, day, last) VALUES (:name, :day, 1) "
    "ON CONFLICT (name, day) DO UPDATE SET last = s.last + 1 RETURNING last"
)


def issue(
    db: Session,
    application: PersonApplication,
    *,
    now: datetime,
    certified_by: CertificateApplication | None,
) -> Certificate:
    """Issue the certificate; the valid one before it, if any, is replaced at once.

    Args:
        application: says whose it is and where.
        certified_by: the application it was issued on; None when it comes with a registration.

    Raises:
        AlreadyCertified: somebody else issued one at the same time (CRT-02).
        NumbersUsedUp
    """
    day = shanghai_date(now)
    policy = POLICIES.in_force(db, CertificatePolicy, day)
    before = queries.hold_valid(db, application.person_key, application.applicant_id)
    if before is not None:
        before.validity, before.ended_at = Validity.REPLACED, now
        db.flush()
        _announce(db, before, now)
    region = application.region or ""
    if before is not None and policy.number_stays_on_replacement:
        number = before.number
    else:
        number = _new_number(db, region, policy, day)
    certificate = Certificate(
        applicant_id=application.applicant_id,
        code=secrets.token_urlsafe(CODE_BYTES),
        number=number,
        validity=Validity.VALID,
        region=region,
        application_id=certified_by.id if certified_by else None,
        issued_at=now,
        **same_person(application),
    )
    with refusing_a_second(db, rules.AlreadyCertified):
        db.add(certificate)
    _announce(db, certificate, now)
    return certificate


def issue_with_registration(db: Session, application: PersonApplication, *, now: datetime) -> None:
    """An approved registration brings the certificate along, where the policy says so (CRT-07)."""
    policy = POLICIES.in_force(db, CertificatePolicy, shanghai_date(now))
    if not policy.issued_with_registration:
        return
    if queries.hold_valid(db, application.person_key, application.applicant_id) is None:
        issue(db, application, now=now, certified_by=None)


def revoke(db: Session, certificate: Certificate, *, now: datetime) -> None:
    """Worth nothing from now on; a later application may lead to another one."""
    certificate.validity, certificate.ended_at = Validity.REVOKED, now
    db.flush()
    _announce(db, certificate, now)


def revoke_alone(
    db: Session, certificate: Certificate, *, actor: Actor, now: datetime, reason: str
) -> None:
    """The same where no application moves with it: the history keeps it under its own id."""
    record(
        db,
        rules.WORKFLOW.name,
        certificate.id,
        "revoke",
        before=certificate.validity,
        after=Validity.REVOKED,
        actor=actor,
        now=now,
        note=reason,
    )
    revoke(db, certificate, now=now)


def _new_number(db: Session, region: str, policy: CertificatePolicy, day: date) -> str:
    year = day.replace(month=1, day=1)  # counted per county and year
    name = f"certificate:{region[:REGION_DIGITS]}"
    serial = db.execute(_NEXT_SERIAL, {"name": name, "day": year}).scalar_one()
    if not policy.holds(serial):
        raise rules.NumbersUsedUp
    return policy.write_number(region=region, day=day, serial=serial)


def _announce(db: Session, certificate: Certificate, now: datetime) -> None:
    announce(
        db,
        FACTS.of(
            CertificateChanged,
            subject=certificate.id,
            now=now,
            applicant_id=certificate.applicant_id,
            certificate_id=certificate.id,
            validity=certificate.validity.value,
            version=certificate.version,
            region=certificate.region,
        ),
    )
