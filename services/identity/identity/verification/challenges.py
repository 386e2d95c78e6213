"""Challenges: begun in one browser, looked after until they are proved or over, used once.

The outside system is asked while no transaction is open; what it said is written by one
conditional statement, so of two looks at the same moment one counts.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from identity.adapters.proofing import Failed, Outcome, Pending, Proof, Started, Verified, Way
from identity.verification import challenge_rules, rules
from identity.verification.challenge_rules import Purpose, Stage
from identity.verification.levels import Found
from identity.verification.model import Challenge
from identity.verification.rules import Channel
from servicekit.db import new_id
from servicekit.personal import DocumentNumber, PersonalText, PersonName

KEPT_AFTER: Final = timedelta(hours=1)
FIRST_LOGIN_LIFE: Final = timedelta(minutes=30)  # typing a unit's data takes a while


@dataclass(frozen=True, slots=True)
class Begun:
    """A challenge and the secret that the browser keeps."""

    challenge: Challenge
    secret: str = field(repr=False)


def new_browser_secret() -> str:
    """What binds a challenge to a browser."""
    return challenge_rules.new_browser_secret()


def keep(
    db: Session,
    started: Started,
    *,
    channel: Channel,
    kind: str,
    purpose: Purpose,
    account_id: str | None,
    confirm: str,
    return_to: str | None,
    now: datetime,
) -> Begun:
    """Write a challenge that an outside system just began."""
    secret = new_browser_secret()
    data = {"way": started.way, "shown": started.shown, "handle": dict(started.handle)}
    session = started.handle.get("session")
    challenge = Challenge(
        id=new_id(),
        browser_hash=_hash(secret),
        account_id=account_id,
        channel=channel,
        kind=kind,
        purpose=purpose,
        stage=Stage.WAITING,
        confirm=confirm,
        handle=PersonalText(json.dumps(data)),
        handle_index=None if session is None else handle_index(channel, session),
        return_to=return_to,
        tries=0,
        created_at=now,
        expires_at=started.expires_at or now + rules.QR_LIFE,
    )
    db.add(challenge)
    db.flush()
    return Begun(challenge, secret)


def find(db: Session, cookie: str) -> Challenge:
    """The challenge of this browser's cookie (``<id>.<secret>``).

    Raises:
        NoChallenge: none, or another browser's.
    """
    wanted, _, secret = cookie.partition(".")
    found = db.get(Challenge, wanted)
    if found is None or not hmac.compare_digest(found.browser_hash, _hash(secret)):
        raise challenge_rules.NoChallenge
    return found


def find_by_handle(db: Session, channel: Channel, session: str) -> Challenge | None:
    """The challenge an outside system calls back about."""
    return db.scalar(
        select(Challenge).where(Challenge.handle_index == handle_index(channel, session))
    )


def handle_index(channel: Channel, session: str) -> bytes:
    """How a callback finds its challenge."""
    return hashlib.sha256(f"{channel}:{session}".encode()).digest()


def way_of(challenge: Challenge) -> Way:
    """What the person has to do."""
    return Way(_data(challenge)["way"])


def shown_of(challenge: Challenge) -> str:
    """The QR code's content, the address, the text to sign."""
    return str(_data(challenge)["shown"])


def handle_of(challenge: Challenge) -> dict[str, str]:
    """What the adapter goes on with."""
    return dict(_data(challenge)["handle"])


def is_due(challenge: Challenge, *, now: datetime) -> bool:
    """Is it worth asking the outside system now?"""
    still = challenge_rules.is_open(challenge.stage, challenge.expires_at, now=now)
    return still and challenge_rules.may_ask(challenge.asked_at, now=now)


def settle(db: Session, challenge: Challenge, outcome: Outcome, *, now: datetime) -> None:
    """Write what the outside system said, unless the challenge is over already."""
    values: dict[str, Any] = {"asked_at": now}
    if isinstance(outcome, Pending):
        if outcome.scanned:
            values["stage"] = Stage.SCANNED
    elif isinstance(outcome, Failed):
        values |= {"stage": Stage.FAILED, "failure": outcome.message}
    else:
        values |= {"stage": Stage.PROVED, "proof": _dump(outcome)}
    _change(db, challenge, values, stages=challenge_rules.OPEN)


def take_try(db: Session, challenge: Challenge, *, now: datetime) -> None:
    """Use one of five tries of a signature.

    Raises:
        ChallengeOver: none left, or too late.
    """
    once = (
        update(Challenge)
        .where(
            Challenge.id == challenge.id,
            Challenge.stage.in_(challenge_rules.OPEN),
            Challenge.tries < rules.SIGNATURE_TRIES,
            Challenge.expires_at > now,
        )
        .values(tries=Challenge.tries + 1)
        .returning(Challenge.tries)
        .execution_options(synchronize_session=False)
    )
    if db.execute(once).one_or_none() is None:
        raise challenge_rules.ChallengeOver


def proof_of(challenge: Challenge, *, now: datetime) -> Proof | None:
    """Who it was, while that may be used."""
    usable = challenge_rules.is_usable(challenge.stage, challenge.expires_at, now=now)
    return _load(challenge.proof) if usable and challenge.proof is not None else None


def use(db: Session, challenge: Challenge, *, now: datetime) -> Proof:
    """Take the proof; once.

    Raises:
        ChallengeOver: not proved, too late, or used.
    """
    proof = proof_of(challenge, now=now)
    done = {"stage": Stage.USED, "proof": None}
    if proof is None or not _change(db, challenge, done, stages={Stage.PROVED}):
        raise challenge_rules.ChallengeOver
    return proof


def give_time(db: Session, challenge: Challenge, *, now: datetime) -> None:
    """Keep a proof a while longer: there is something to be filled in first."""
    _change(db, challenge, {"expires_at": now + FIRST_LOGIN_LIFE}, stages={Stage.PROVED})


def found_of(proof: Proof, channel: Channel) -> Found:
    """A proof as evidence keeps it."""
    masked = {"name": proof.name, "number": proof.number}
    if proof.kind == "person":
        masked = {
            "name": PersonName(proof.name).mask(),
            "number": DocumentNumber(proof.number).mask(),
        }
    if proof.role:
        masked["role"] = proof.role
    return Found(
        channel=channel,
        provider=proof.provider,
        reference=proof.reference,
        answer_hash=proof.answer_hash,
        level=proof.level,
        expires_at=proof.expires_at,
        masked=masked,
    )


def forget_old(db: Session, *, now: datetime) -> None:
    """Delete challenges that are over, an hour afterwards."""
    db.execute(delete(Challenge).where(Challenge.expires_at <= now - KEPT_AFTER))


def _change(db: Session, challenge: Challenge, values: Mapping[str, Any], *, stages: Any) -> bool:
    once = (
        update(Challenge)
        .where(Challenge.id == challenge.id, Challenge.stage.in_(stages))
        .values(**values)
        .returning(Challenge.id)
        .execution_options(synchronize_session=False)
    )
    changed = db.execute(once).one_or_none() is not None
    db.refresh(challenge)
    return changed


def _data(challenge: Challenge) -> dict[str, Any]:
    return dict(json.loads(challenge.handle.expose()))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _dump(outcome: Verified) -> PersonalText:
    facts = asdict(outcome.proof)
    facts["answer_hash"] = outcome.proof.answer_hash.hex()
    until = outcome.proof.expires_at
    facts["expires_at"] = None if until is None else until.isoformat()
    return PersonalText(json.dumps(facts, ensure_ascii=False))


def _load(text: PersonalText) -> Proof:
    facts = json.loads(text.expose())
    facts["answer_hash"] = bytes.fromhex(facts["answer_hash"])
    if facts["expires_at"] is not None:
        facts["expires_at"] = datetime.fromisoformat(facts["expires_at"])
    return Proof(**facts)
