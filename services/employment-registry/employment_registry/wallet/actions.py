"""What happens between a person's offer and the copy in their wallet."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from employment_registry.certificate import queries as certificates
from employment_registry.certificate.signing import Signer
from employment_registry.events import FACTS, WalletCopiesChanged
from employment_registry.wallet import issuing, proofs, queries, rules
from employment_registry.wallet.model import WalletCopy, WalletNonce, WalletOffer
from employment_registry.wallet.rules import Error, Event, Refused, TokenRequest
from servicekit.applications import Actor
from servicekit.db import new_id
from servicekit.outbox import announce
from servicekit.vault import Vault

SECRET_BYTES = 32
BATCH = 500  # copies in one transaction
LATELY = timedelta(days=7)  # workers never stand still for longer


@dataclass(frozen=True, slots=True, repr=False)
class Offered:
    """What the person is shown once; only hashes of it are kept."""

    code: str
    transaction_code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Copies:
    """What a wallet is answered."""

    credentials: list[str]
    notification_id: str


def offer(db: Session, *, actor: Actor, vault: Vault, now: datetime) -> Offered:
    """Offer the person's valid certificate to a wallet; their offer before it is worth nothing.

    Raises:
        CertificateNotFound: there is none.
    """
    certificate = certificates.find_current(db, actor)
    made = Offered(
        secrets.token_urlsafe(SECRET_BYTES),
        f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}}",
        now + rules.OFFER_LIFE,
    )
    code_hash = _hash(made.code)
    values = {
        "id": new_id(),
        "certificate_id": certificate.id,
        "code_hash": code_hash,
        "transaction_code_hash": _guess(vault, code_hash, made.transaction_code),
        "tries": 0,
        "expires_at": made.expires_at,
        "used_at": None,
        "token_hash": None,
        "token_expires_at": None,
        "copies": 0,
    }
    row = insert(WalletOffer).values(applicant_id=actor.id, **values)
    db.execute(row.on_conflict_do_update(index_elements=[WalletOffer.applicant_id], set_=values))
    return made


def redeem(db: Session, asked: TokenRequest, *, vault: Vault, now: datetime) -> str | None:
    """Take an offer up: an access token, or None for a wrong transaction code, which is counted.

    Raises:
        Refused: the offer is unknown, used, expired, or was guessed at too often.
    """
    code_hash = _hash(asked.code)
    found = queries.hold_offer(db, code_hash)
    if found is None:
        raise Refused(Error.INVALID_GRANT, "The code is unknown, used up or too old.")
    state = rules.OfferState(
        found.expires_at, found.used_at, found.tries, found.transaction_code_hash
    )
    if not rules.takes(state, _guess(vault, code_hash, asked.transaction_code), now=now):
        found.tries += 1
        return None
    token = secrets.token_urlsafe(SECRET_BYTES)
    found.used_at, found.token_hash = now, _hash(token)
    found.token_expires_at = now + rules.TOKEN_LIFE
    return token


def find_taken(db: Session, token: str | None, *, now: datetime) -> WalletOffer:
    """The offer behind an access token, held.

    Raises:
        Refused: there is no token, or it is worth nothing.
    """
    found = queries.hold_taken_offer(db, _hash(token), now) if token else None
    if found is None:
        raise Refused(Error.INVALID_TOKEN, "The access token is missing, unknown or too old.")
    return found


def copy(
    db: Session,
    taken: WalletOffer,
    jwts: Sequence[str],
    *,
    signer: Signer,
    vault: Vault,
    now: datetime,
) -> Copies:
    """Make a copy of the certificate for every key proved.

    Raises:
        Refused: a proof or its nonce is not good, the offer is used up, or the certificate is no
            longer valid.
    """
    proven = proofs.check(jwts, audience=signer.issuer, now=now)
    _use_nonce(db, proven.nonce, vault=vault, now=now)
    rules.check_copies(taken.copies, len(proven.keys))
    certificate = queries.hold_certificate(db, taken.certificate_id)
    if certificate is None:
        raise Refused(Error.CREDENTIAL_REQUEST_DENIED, "The certificate is no longer valid.")
    made = Copies([], secrets.token_urlsafe(SECRET_BYTES))
    hour, key = rules.hour_of(now), signer.key(now)
    copies = [
        WalletCopy(
            certificate_id=certificate.id,
            kid=key.kid,
            notification_hash=_hash(made.notification_id),
            issued_at=hour,
            expires_at=hour + rules.COPY_LIFE,
        )
        for _ in proven.keys
    ]
    db.add_all(copies)
    db.flush()
    taken.copies += len(copies)
    for holder, one in zip(proven.keys, copies, strict=True):
        made.credentials.append(issuing.write(signer, certificate, one, holder, by=key))
    _announce(db, taken.applicant_id, certificate.region, "added", now)
    return made


def notify(
    db: Session, taken: WalletOffer, notification: str, event: Event, *, now: datetime
) -> None:
    """Keep what the wallet says became of its copies; those it has not are worth nothing.

    Raises:
        Refused: there was no such answer to this wallet.
    """
    copies = queries.hold_copies(db, _hash(notification), taken.certificate_id)
    if not copies:
        raise Refused(Error.INVALID_NOTIFICATION_ID, "There is no such notification.")
    for one in copies:
        one.event = event
        if event.ends and one.ended_at is None:
            one.ended_at = now


def take_back(db: Session, *, actor: Actor, now: datetime) -> int:
    """End every copy of the person's valid certificate, as when the telephone is lost.

    Returns:
        how many were in force.

    Raises:
        CertificateNotFound: there is no certificate.
        NoCopies: no copy was in force, and no wallet was about to fetch one.
    """
    certificate = certificates.find_current(db, actor)
    offers = delete(WalletOffer).where(WalletOffer.applicant_id == actor.id)
    was_offered = db.execute(offers.returning(WalletOffer.id)).first() is not None
    in_force = (
        update(WalletCopy)
        .where(
            WalletCopy.certificate_id == certificate.id,
            WalletCopy.ended_at.is_(None),
            WalletCopy.expires_at > now,
        )
        .values(ended_at=now)
        .returning(WalletCopy.id)
    )
    ended = len(db.execute(in_force).all())
    if not ended and not was_offered:
        raise rules.NoCopies
    if ended:
        _announce(db, actor.id, certificate.region, "taken-back", now)
    return ended


def end_forgeable(db: Session, *, now: datetime, most: int = BATCH) -> int:
    """End copies signed with a key that has leaked lately, and tell whose they were.

    Their wallets are shown that they ended, and fetch others.

    Returns:
        how many were ended; fewer than ``most`` when there are no more.
    """
    copies = queries.hold_forgeable(db, since=now - LATELY, most=most)
    for one, _ in copies:
        one.ended_at = now
    for certificate in {certificate.id: certificate for _, certificate in copies}.values():
        _announce(db, certificate.applicant_id, certificate.region, "ended", now)
    return len(copies)


def forget(db: Session, *, now: datetime) -> None:
    """Delete offers, nonces and copies whose time is over; a place in the list is never reused."""
    last = func.coalesce(WalletOffer.token_expires_at, WalletOffer.expires_at)
    db.execute(delete(WalletOffer).where(last <= now))
    db.execute(delete(WalletNonce).where(WalletNonce.expires_at <= now))
    db.execute(delete(WalletCopy).where(WalletCopy.expires_at <= now))


def _use_nonce(db: Session, nonce: str, *, vault: Vault, now: datetime) -> None:
    """Once: whoever brings it at the same moment waits for the first one's commit."""
    ends = proofs.nonce_ends(vault, nonce)
    row = insert(WalletNonce).values(
        nonce_hash=_hash(nonce), expires_at=datetime.fromtimestamp(ends, UTC)
    )
    first = row.on_conflict_do_nothing().returning(WalletNonce.nonce_hash)
    if ends <= now.timestamp() or db.execute(first).one_or_none() is None:
        raise Refused(Error.INVALID_NONCE, "The nonce is too old or was used.")


def _announce(db: Session, applicant_id: str, region: str, change: str, now: datetime) -> None:
    announce(
        db,
        FACTS.of(
            WalletCopiesChanged,
            subject=applicant_id,
            now=now,
            applicant_id=applicant_id,
            change=change,
            region=region,
        ),
    )


def _hash(secret: str) -> bytes:
    """How a random secret is kept; 256 bits need no salt and no stretching."""
    return hashlib.sha256(secret.encode()).digest()


def _guess(vault: Vault, code_hash: bytes, transaction_code: str) -> bytes:
    # Keyed: a million codes are tried in a second, but not without the key.
    return vault.index(f"{code_hash.hex()}:{transaction_code}", "wallet_offer.transaction_code")
