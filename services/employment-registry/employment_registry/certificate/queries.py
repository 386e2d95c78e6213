"""Which certificates a person may see, and what anyone may ask."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, false, select, text
from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.certificate import rules
from employment_registry.certificate.model import Certificate
from employment_registry.certificate.opening_rules import Situation
from employment_registry.certificate.rules import Validity
from employment_registry.standing import PersonKey
from servicekit.applications import Actor

_PLACES = text(
    "SELECT CASE WHEN is_called THEN last_value + 1 ELSE 0 END FROM certificate_position_seq"
)
NEWEST = (Certificate.issued_at, Certificate.id)


def own_certificates(actor: Actor) -> Select[Certificate]:
    """The person's valid certificate and those before it."""
    return select(Certificate).where(Certificate.applicant_id == actor.id)


def find_current(db: Session, actor: Actor) -> Certificate:
    """The person's only valid certificate.

    Raises:
        CertificateNotFound: there is none.
    """
    valid = own_certificates(actor).where(Certificate.validity == Validity.VALID)
    found = db.scalar(valid)
    if found is None:
        raise rules.CertificateNotFound
    return found


def hold_valid(
    db: Session, person_key: PersonKey, applicant_id: str | None, *, hold: bool = True
) -> Certificate | None:
    """The person's valid certificate under whichever account, held unless it is only looked at.

    That of the same document where the account has another document's too.

    Args:
        applicant_id: the account whose certificate is theirs too; None where there is none.
    """
    of_person = Certificate.person_key == person_key
    if applicant_id is not None:
        of_person = standing.theirs(Certificate, person_key, applicant_id)
    valid = select(Certificate).where(of_person, Certificate.validity == Validity.VALID)
    valid = valid.order_by((Certificate.person_key == person_key).desc())
    return db.scalar(valid.with_for_update() if hold else valid)


def list_valid(db: Session, own: ColumnElement[bool]) -> Sequence[str]:
    """The ids of a person's valid certificates, not held."""
    valid = select(Certificate.id).where(own, Certificate.validity == Validity.VALID)
    return db.scalars(valid).all()


def hold_all(db: Session, own: ColumnElement[bool]) -> Sequence[Certificate]:
    """A person's valid certificates, held, in one order by everybody.

    One, but where two accounts were put together that had one each.
    """
    valid = select(Certificate).where(own, Certificate.validity == Validity.VALID)
    return db.scalars(valid.order_by(Certificate.id).with_for_update()).all()


def situation(
    db: Session, person_key: PersonKey, applicant_id: str, *, hold: bool = True
) -> Situation:
    """What the conditions look at, before a form opens; the certificate is held."""
    valid = hold_valid(db, person_key, applicant_id, hold=hold)
    registered = standing.find(db, person_key, applicant_id) is not None
    return Situation(has_certificate=valid is not None, is_registered=registered)


def in_region(actor: Actor) -> Select[Certificate]:
    """The certificates that were issued in an officer's region or below (AL-02)."""
    if not actor.region:
        return select(Certificate).where(false())
    return select(Certificate).where(Certificate.region.startswith(actor.region, autoescape=True))


def find_in_region(db: Session, certificate_id: str, actor: Actor) -> Certificate:
    """One of them.

    Raises:
        CertificateNotFound: there is none, or it is another region's.
    """
    found = db.scalar(in_region(actor).where(Certificate.id == certificate_id))
    if found is None:
        raise rules.CertificateNotFound
    return found


def find_of_application(db: Session, application_id: str) -> Certificate | None:
    """The certificate an application led to."""
    return db.scalar(select(Certificate).where(Certificate.application_id == application_id))


def find_by_code(db: Session, code: str) -> Certificate:
    """What anyone may verify who holds the code of a certificate.

    Raises:
        CertificateNotFound
    """
    found = db.scalar(select(Certificate).where(Certificate.code == code))
    if found is None:
        raise rules.CertificateNotFound
    return found


def ended(db: Session) -> list[tuple[int, Validity]]:
    """The place in the status list of every certificate that is no longer valid, and why."""
    no_longer = Certificate.validity != Validity.VALID
    rows = db.execute(select(Certificate.position, Certificate.validity).where(no_longer))
    return [(row.position, row.validity) for row in rows]


def places(db: Session) -> int:
    """How many places of the status list have been given away."""
    return int(db.execute(_PLACES).scalar_one())
