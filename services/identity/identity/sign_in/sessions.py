"""Logins: begun, found by their cookie, seen, ended; what they say about the person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.orm import Session, defer, lazyload

from identity.accounts.model import Account
from identity.accounts.rules import Kind, may_act
from identity.events import FACTS, SessionEnded
from identity.officers.model import Officer
from identity.sign_in import rules
from identity.sign_in.acting import Acting
from identity.sign_in.client_model import Client, LogoutNotice
from identity.sign_in.model import AuthorizationCode, RefreshToken, SignInSession
from identity.sign_in.rules import EndReason
from servicekit.db import new_id
from servicekit.outbox import announce
from servicekit.personal import PersonalText

LOGOUT_CHANNEL: Final = "identity_logout"
_UNOPENED: Final = (
    lazyload(Account.person),
    defer(Account.login_name),
    defer(Account.phone),
    defer(Account.email),
    defer(SignInSession.device),
    defer(SignInSession.address),
)


@dataclass(frozen=True, slots=True)
class Device:
    """Where a login came from; the owner sees it in the list of sessions."""

    name: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is signed in, as tokens say it; Authlib calls this the user."""

    account: Account
    session: SignInSession
    officer: Officer | None
    acting: Acting | None = None  # for a unit, as its mandate says …
    unit: Account | None = None  # … and that unit's account

    def get_user_id(self) -> str:
        """What becomes ``sub``."""
        return self.account.id

    @property
    def acr(self) -> str:
        """The level as it is now, so that a raise holds without a new login."""
        if self.account.kind is Kind.UNIT:
            return rules.unit_acr(self.account.province_level)
        return rules.acr_of(level=self.account.level, second_factor=self.officer is not None)

    @property
    def auth_time(self) -> int:
        """When the password was shown."""
        return int(self.session.authenticated_at.timestamp())


def begin(
    db: Session, account: Account, *, amr: list[str], device: Device, now: datetime
) -> tuple[SignInSession, str]:
    """Sign a person in.

    Returns: the session, and the secret for the cookie, which is kept nowhere else.
    """
    secret = rules.new_secret()
    session = SignInSession(
        id=new_id(),
        account_id=account.id,
        secret_hash=rules.hash_secret(secret),
        amr=amr,
        device=PersonalText(device.name),
        address=PersonalText(device.address),
        created_at=now,
        authenticated_at=now,
        last_seen_at=now,
    )
    db.add(session)
    db.flush()
    return session, secret


def by_cookie(db: Session, secret: str | None, *, now: datetime) -> Subject | None:
    """Who holds this cookie, while the session lives and the account is active."""
    if not secret:
        return None
    return _alive(db, SignInSession.secret_hash == rules.hash_secret(secret), now=now)


def by_id(db: Session, session_id: str, *, now: datetime) -> Subject | None:
    """The same for a session a token names."""
    return _alive(db, SignInSession.id == session_id, now=now)


def has_ended(db: Session, session_id: str, *, now: datetime) -> bool:
    """The short question of every API call: is this login over, or its account locked?"""
    columns = (
        SignInSession.created_at,
        SignInSession.last_seen_at,
        SignInSession.ended_at,
        Account.standing,
    )
    wanted = select(*columns).join(Account, Account.id == SignInSession.account_id)
    row = db.execute(wanted.where(SignInSession.id == session_id)).one_or_none()
    if row is None or not may_act(row.standing):
        return True
    times = rules.SessionTimes(row.created_at, row.last_seen_at, row.ended_at)
    return not rules.is_alive(times, now=now)


def end(db: Session, session: SignInSession, reason: EndReason, *, now: datetime) -> None:
    """End a session with every token of it, and tell the gateway; twice is once (ID-43)."""
    once = (
        update(SignInSession)
        .where(SignInSession.id == session.id, SignInSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
        .returning(SignInSession.id)
        .execution_options(synchronize_session=False)
    )
    if db.execute(once).one_or_none() is None:
        return
    db.refresh(session)
    chain = (RefreshToken.session_id == session.id, RefreshToken.revoked_at.is_(None))
    db.execute(update(RefreshToken).where(*chain).values(revoked_at=now))
    _tell_clients(db, session, now=now)
    announce(
        db,
        FACTS.of(
            SessionEnded,
            subject=session.id,
            now=now,
            session_id=session.id,
            account_id=session.account_id,
        ),
    )


def _tell_clients(db: Session, session: SignInSession, *, now: datetime) -> None:
    """Queue a logout token for each client that got a code in this login and wants to know."""
    told = (
        select(Client.client_id)
        .join(AuthorizationCode, AuthorizationCode.client_id == Client.client_id)
        .where(
            AuthorizationCode.session_id == session.id,
            AuthorizationCode.used_at.is_not(None),
            Client.backchannel_logout_uri.is_not(None),
        )
        .distinct()
    )
    waiting = [
        LogoutNotice(
            client_id=client_id,
            session_id=session.id,
            account_id=session.account_id,
            created_at=now,
            due_at=now,
            tries=0,
        )
        for client_id in db.scalars(told)
    ]
    if waiting:
        db.add_all(waiting)
        db.execute(text("SELECT pg_notify(:channel, '')"), {"channel": LOGOUT_CHANNEL})


def end_all(db: Session, account_id: str, reason: EndReason, *, now: datetime) -> None:
    """End every session of an account."""
    for session in list_alive(db, account_id, now=now):
        end(db, session, reason, now=now)


def list_alive(db: Session, account_id: str, *, now: datetime) -> list[SignInSession]:
    """The sessions an owner would call "signed in here", the newest first; at most a hundred."""
    recent = (
        select(SignInSession)
        .where(
            SignInSession.account_id == account_id,
            SignInSession.ended_at.is_(None),
            SignInSession.created_at > now - rules.LONGEST,
            SignInSession.last_seen_at > now - rules.IDLE,
        )
        .order_by(SignInSession.created_at.desc())
        .limit(100)
    )
    return list(db.scalars(recent))


def _alive(db: Session, which: ColumnElement[bool], *, now: datetime) -> Subject | None:
    """One question for session and account; what is sealed stays so until somebody asks for it."""
    both = select(SignInSession, Account).join(Account, Account.id == SignInSession.account_id)
    row = db.execute(both.where(which).options(*_UNOPENED)).one_or_none()
    if row is None or not rules.is_alive(_times(row[0]), now=now) or not may_act(row[1].standing):
        return None
    session, account = row
    _see(db, session, now=now)
    officer = db.get(Officer, account.id) if account.kind is Kind.OFFICER else None
    return Subject(account, session, officer)


def _see(db: Session, session: SignInSession, *, now: datetime) -> None:
    if now - session.last_seen_at < rules.SEEN_EVERY:
        return  # once a minute is exact enough for thirty, and reads stay reads
    seen = update(SignInSession).where(SignInSession.id == session.id)
    db.execute(seen.values(last_seen_at=now))


def _times(session: SignInSession) -> rules.SessionTimes:
    return rules.SessionTimes(session.created_at, session.last_seen_at, session.ended_at)
