"""Write logins down, tell the owner of those from elsewhere, and undo one that was not theirs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.login_history import queries, rules
from identity.login_history.model import LoginEvent
from identity.login_history.rules import Outcome, Way
from identity.messages import actions as messages
from identity.messages.model import Message
from identity.passwords import actions as passwords
from identity.sign_in import sessions
from identity.sign_in.rules import EndReason
from identity.sign_in.sessions import Device
from servicekit.clock import to_shanghai
from servicekit.db import new_id
from servicekit.personal import PersonalText

ELSEWHERE = "sign-in-elsewhere"
GUESSED = "sign-in-guessed"


def record_success(
    db: Session,
    account: Account,
    *,
    way: Way,
    device: Device,
    known_device: bool,
    session_id: str,
    now: datetime,
) -> LoginEvent:
    """Write a login down; when it came from elsewhere, the owner is told (ID-08)."""
    place = PersonalText(rules.place_of(device.address))
    elsewhere = rules.is_elsewhere(
        known_device=known_device,
        known_place=queries.knows_place(db, account.id, place, since=now - rules.KNOWN_FOR),
        first=not queries.has_signed_in(db, account.id),
    )
    event = _event(account.id, way, Outcome.SIGNED_IN, device, now=now)
    event.session_id, event.known_device, event.elsewhere = session_id, known_device, elsewhere
    db.add(event)
    if elsewhere:
        words = {"time": f"{to_shanghai(now):%m月%d日%H:%M}", "way": way.label}
        messages.tell(db, account.id, ELSEWHERE, words, subject=event.id, now=now)
    return event


def record_failure(
    db: Session,
    account_id: str | None,
    *,
    way: Way,
    outcome: Outcome,
    device: Device,
    now: datetime,
) -> None:
    """Write a try down; one at a name nobody has costs the same row, so the time tells nothing."""
    db.add(_event(account_id, way, outcome, device, now=now))


def disown(
    db: Session,
    account: Account,
    event_id: str,
    *,
    session_id: str | None,
    now: datetime,
) -> LoginEvent:
    """“This wasn't me”: every other session ends, the password is good for nothing alone (ID-17).

    It can only be replaced from here with the present one, or after a login that also shows a
    code sent to the phone: whoever knows the old password cannot choose the next.

    Raises:
        NoLogin: not there, or another person's.
        NotDisownable: a failure, or the login this request comes from.
    """
    event = db.get(LoginEvent, event_id, with_for_update=True)
    if event is None or event.account_id != account.id:
        raise rules.NoLogin
    rules.check_disownable(event.outcome, is_present=event.session_id == session_id)
    event.disowned_at = event.disowned_at or now
    for session in sessions.list_alive(db, account.id, now=now):
        if session.id != session_id:
            sessions.end(db, session, EndReason.DISOWNED, now=now)
    passwords.distrust(db, account, now=now)
    messages.tell(db, account.id, "sign-in-disowned", {}, subject=event.id, now=now)
    return event


def tell_guessed(db: Session, *, now: datetime) -> int:
    """Tell owners at whose name somebody guesses, once a day; apart from the request, so that
    its time says nothing.

    Returns: how many were told.
    """
    many = (
        select(LoginEvent.account_id)
        .where(
            LoginEvent.outcome != Outcome.SIGNED_IN,
            LoginEvent.at > now - rules.FAILURES_IN,
            LoginEvent.account_id.is_not(None),
        )
        .group_by(LoginEvent.account_id)
        .having(func.count() >= rules.MANY_FAILURES)
    )
    told = select(Message.account_id).where(
        Message.template == GUESSED, Message.created_at > now - rules.TOLD_AGAIN_AFTER
    )
    owners = db.scalars(many.where(LoginEvent.account_id.not_in(told))).all()
    for owner in owners:
        messages.tell(db, str(owner), GUESSED, {}, subject=None, now=now)
    return len(owners)


def forget_old(db: Session, *, now: datetime) -> None:
    """Remove what has been kept long enough."""
    db.execute(delete(LoginEvent).where(LoginEvent.at < now - rules.KEPT_FOR))
    nameless = (LoginEvent.account_id.is_(None), LoginEvent.at < now - rules.NAMELESS_KEPT_FOR)
    db.execute(delete(LoginEvent).where(*nameless))


def _event(
    account_id: str | None, way: Way, outcome: Outcome, device: Device, *, now: datetime
) -> LoginEvent:
    return LoginEvent(
        id=new_id(),
        account_id=account_id,
        at=now,
        way=way,
        outcome=outcome,
        device=PersonalText(device.name),
        address=PersonalText(device.address),
        place_index=PersonalText(rules.place_of(device.address)),
        known_device=False,
        elsewhere=False,
    )
