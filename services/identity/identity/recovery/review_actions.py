"""What an officer's decision does: a name or a one-time password to the phone, and four eyes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import check_standing
from identity.agreements import actions as agreements
from identity.events import FACTS, UnitRecovered
from identity.hashing import Hasher
from identity.messages import actions as messages
from identity.passwords import actions as passwords
from identity.recovery import actions, rules, stops
from identity.recovery.model import UnitRecovery, Upload
from identity.recovery.queries import Recovery
from identity.recovery.rules import Goal, Side
from identity.second_factors import actions as second_factors
from servicekit import claims
from servicekit.applications import Actor
from servicekit.outbox import announce
from servicekit.personal import MobileNumber
from servicekit.uploads import Uploads
from servicekit.vault import Vault

_TEMPLATE_OF = {"return": "recovery-returned", "reject": "recovery-rejected"}


@dataclass(frozen=True, slots=True)
class Means:
    """What the application lends."""

    hasher: Hasher
    vault: Vault
    uploads: Uploads[Upload]
    kept_for: timedelta
    stop_address: str


def after(
    db: Session, case: Recovery, move: str, *, actor: Actor, means: Means, now: datetime
) -> None:
    """Do what the move that was just made means.

    Raises:
        NotMatched: approved, but nobody's account.
        AccountLocked: it was locked or given up meanwhile.
        SameOfficer: endorsed and approved by one.
    """
    if move == "endorse" and isinstance(case, UnitRecovery):
        actions.endorse(db, case, actor=actor, now=now)
    elif move == "approve":
        _approve(db, case, actor=actor, means=means, now=now)
    elif move in _TEMPLATE_OF:
        actions.tell_decision(db, case, _TEMPLATE_OF[move], now=now)
    if rules.is_over(case.state):
        means.uploads.delete_later(db, case.id, now + means.kept_for)


def _approve(db: Session, case: Recovery, *, actor: Actor, means: Means, now: datetime) -> None:
    if case.account_id is None:
        raise rules.NotMatched
    if isinstance(case, UnitRecovery):
        claims.check_four_eyes(case.endorsed_by, actor.id)
    account = db.get_one(Account, case.account_id, with_for_update={"of": Account})
    check_standing(account.standing)
    if case.matter.side is Side.PERSON and case.photos_consent and case.photos_consented_at:
        # Only now is it known whose consent it was; the owner sees it, and may take it back.
        agreements.keep(
            db, account.id, rules.PHOTO_CONSENT, case.photos_consent, at=case.photos_consented_at
        )
    name = account.login_name.expose()
    if case.goal is Goal.LOGIN_NAME:
        words, template = {"name": name}, "recovery-name-sent"
    else:
        password = passwords.give_one_time(db, account, hasher=means.hasher, now=now)
        words, template = {"name": name, "password": password}, "recovery-password-sent"
        if case.matter.side is Side.PERSON:
            _take_phone(db, case, account, means=means, now=now)
    messages.send_sms(
        db,
        template,
        words,
        phone=case.contact_phone,
        account_id=account.id,
        useless_at=None,
        now=now,
    )
    messages.tell(db, account.id, "recovery-done", {"what": case.goal.label}, subject=None, now=now)
    if case.matter.side is Side.UNIT:
        recovered = FACTS.of(UnitRecovered, subject=account.id, now=now, unit_id=account.id)
        announce(db, recovered)


def _take_phone(
    db: Session, case: Recovery, account: Account, *, means: Means, now: datetime
) -> None:
    """The phone that was proved takes the old one's place: without it a person who lost the
    telephone would be locked out at the next code. The old one can undo it for three days."""
    if second_factors.is_on(db, account.id):
        second_factors.end_totp(db, account, now=now)
    old, new = account.phone, MobileNumber(case.contact_phone)
    if old == new:
        return
    stops.warn(
        db,
        account,
        [old],
        what=case.goal.label,
        address=means.stop_address,
        case_id=case.id,
        old_phone=old,
        vault=means.vault,
        now=now,
    )
    account.phone = account.phone_index = new
    account.updated_at = now
