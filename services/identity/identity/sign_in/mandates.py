"""Mandates redeemed: signed by employer-auth, used once, never older than what it told since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import Kind, may_act
from identity.sign_in import acting as rules
from identity.sign_in import replays
from identity.sign_in.acting import Acting, Mandate, MandateRefused
from identity.sign_in.client_model import KnownBinding
from identity.sign_in.rules import LONGEST
from identity.sign_in.sessions import Subject
from servicekit.web.tokens import KeySource

TYPE: Final = "mandate+jwt"
ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True)
class MandateReader:
    """Reads what employer-auth signed.

    Args:
        keys: employer-auth's public keys.
        issuer: employer-auth's name.
        audience: ours.
        withdrawn: has the key of this id leaked?
    """

    keys: KeySource
    issuer: str
    audience: str
    withdrawn: Callable[[str], bool]

    def read(self, text: str, *, now: datetime) -> Mandate:
        """Check signature, type, issuer, audience and times.

        Raises:
            MandateRefused: whatever is wrong with it.
            Unavailable: employer-auth's keys cannot be fetched.
        """
        try:
            header = jws.extract_compact(text.encode()).headers()
            if header.keys() - {"alg", "typ", "kid"} or header.get("typ") != TYPE:
                raise MandateRefused("The subject token is not a mandate.")
            kid = str(header["kid"])
            key = None if self.withdrawn(kid) else self.keys.find(kid)
            if header.get("alg") != ALGORITHM or key is None:
                raise MandateRefused("The mandate is not signed by employer-auth.")
            claims: Mapping[str, Any] = jwt.decode(text, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, KeyError):
            raise MandateRefused("The mandate is not signed by employer-auth.") from None
        return rules.read_mandate(claims, issuer=self.issuer, audience=self.audience, now=now)


def redeem(db: Session, mandate: Mandate, subject: Subject, *, now: datetime) -> Subject:
    """Let the person act for the unit; everything is checked before the mandate is used up.

    Raises:
        MandateRefused: wrong person, wrong level, changed binding, locked unit, used before.
    """
    acting = in_force(db, mandate.acting, subject)
    owner = f"mandate:{mandate.acting.binding}"
    if not replays.use(db, "mandate", owner, mandate.token_id, until=mandate.expires_at):
        raise MandateRefused("The mandate was used before.")
    return acting


def in_force(db: Session, acting: Acting, subject: Subject) -> Subject:
    """The person acting for the unit, if that still holds: asked at every token (ID-41, ID-43).

    Raises:
        MandateRefused: it does not.
    """
    if subject.account.kind is not Kind.PERSON:
        raise MandateRefused("Only a person acts for a unit.")
    rules.check_actor(acting, subject.account.id, subject.account.level)
    known = db.get(KnownBinding, acting.binding)
    if known is not None:
        rules.check_version(acting, newest=known.version, state=known.state)
    for account_id in filter(None, (acting.unit, acting.agency)):
        account = db.get(Account, account_id)
        if account is None or account.kind is not Kind.UNIT or not may_act(account.standing):
            raise MandateRefused("The unit's account does not exist or is closed.")
    return replace(subject, acting=acting, unit=db.get_one(Account, acting.unit))


def chosen(db: Session, subject: Subject) -> Subject:
    """The subject as chosen in this login: for the unit where that holds, else as the person."""
    kept = subject.session.acting
    if kept is None:
        return subject
    try:
        return in_force(db, Acting.of_json(kept), subject)
    except MandateRefused:
        subject.session.acting = None
        return subject


def note_binding(db: Session, binding_id: str, *, version: int, state: str, now: datetime) -> None:
    """Keep the newest version employer-auth told of; an older one changes nothing."""
    values = {"version": version, "state": state, "told_at": now}
    row = insert(KnownBinding).values(binding_id=binding_id, **values)
    newer = row.on_conflict_do_update(
        index_elements=[KnownBinding.binding_id],
        set_=values,
        where=KnownBinding.version <= version,
    )
    db.execute(newer)


def forget_old(db: Session, *, now: datetime) -> None:
    """Remove ended bindings no session can name any more; living ones are kept."""
    old = KnownBinding.told_at < now - 2 * LONGEST
    db.execute(delete(KnownBinding).where(old, KnownBinding.state != rules.ACTIVE))
