"""Which offers and copies there are, and whose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from employment_registry.certificate.model import Certificate, CertificateKey
from employment_registry.certificate.rules import Validity
from employment_registry.wallet import rules
from employment_registry.wallet.model import WalletCopy, WalletOffer
from servicekit.applications import Actor
from servicekit.key_rings import KeyPhase

NEWEST = (WalletCopy.issued_at, WalletCopy.id)


def own_copies(actor: Actor) -> Select[WalletCopy]:
    """The copies of the person's certificates, ended ones too."""
    of_person = Certificate.applicant_id == actor.id
    return select(WalletCopy).join(Certificate).where(of_person)


def hold_offer(db: Session, code_hash: bytes) -> WalletOffer | None:
    """The offer of a pre-authorized code, held until the transaction ends."""
    found = select(WalletOffer).where(WalletOffer.code_hash == code_hash)
    return db.scalar(found.with_for_update())


def hold_taken_offer(db: Session, token_hash: bytes, now: datetime) -> WalletOffer | None:
    """The offer that an access token was given for, while the token is good; held."""
    found = select(WalletOffer).where(
        WalletOffer.token_hash == token_hash, WalletOffer.token_expires_at > now
    )
    return db.scalar(found.with_for_update())


def hold_certificate(db: Session, certificate_id: str) -> Certificate | None:
    """The certificate, if it is valid; nobody replaces or revokes it before the copies are made."""
    found = select(Certificate).where(
        Certificate.id == certificate_id, Certificate.validity == Validity.VALID
    )
    return db.scalar(found.with_for_update(read=True))


def hold_copies(db: Session, notification_hash: bytes, certificate_id: str) -> list[WalletCopy]:
    """The copies that went out in one answer, held."""
    found = select(WalletCopy).where(
        WalletCopy.notification_hash == notification_hash,
        WalletCopy.certificate_id == certificate_id,
    )
    return list(db.scalars(found.order_by(WalletCopy.id).with_for_update()))


def hold_forgeable(
    db: Session, *, since: datetime, most: int
) -> Sequence[Row[WalletCopy, Certificate]]:
    """Copies in force that a key signed which was withdrawn since then, held.

    Of copies whose key was not kept yet the time tells: a key signs until the next one does, though
    it may be withdrawn long after. They say no more than their hour, so of a key's first and last
    hour those that another key signed are among them.
    """
    table = CertificateKey
    until = func.lead(table.activated_at).over(
        partition_by=table.algorithm, order_by=table.activated_at
    )
    keys = select(
        table.kid, table.phase, table.activated_at, table.retired_at, until.label("until")
    )
    signing = keys.where(table.activated_at.is_not(None)).subquery()
    leaked = db.execute(
        select(signing).where(signing.c.phase == KeyPhase.WITHDRAWN, signing.c.retired_at >= since)
    ).all()
    if not leaked:
        return ()
    in_their_time = [
        WalletCopy.issued_at.between(rules.hour_of(key.activated_at), key.until or key.retired_at)
        for key in leaked
    ]
    signed = or_(
        WalletCopy.kid.in_([key.kid for key in leaked]),
        and_(WalletCopy.kid.is_(None), or_(*in_their_time)),
    )
    found = select(WalletCopy, Certificate).join(Certificate)
    found = found.where(signed, WalletCopy.ended_at.is_(None)).order_by(WalletCopy.id)
    return db.execute(found.limit(most).with_for_update(of=WalletCopy, skip_locked=True)).all()


def ended(db: Session) -> list[tuple[int, Validity]]:
    """The place in the status list of every copy that is no longer valid, and why."""
    rows = db.execute(
        select(WalletCopy.position, Certificate.validity)
        .join(Certificate)
        .where((Certificate.validity != Validity.VALID) | WalletCopy.ended_at.is_not(None))
    )
    return [
        (row.position, Validity.REVOKED if row.validity is Validity.VALID else row.validity)
        for row in rows
    ]
