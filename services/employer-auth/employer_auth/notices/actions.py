"""Hands notices to identity: written with the change they tell of, sent by a job until taken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, Protocol

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from employer_auth.notices import rules
from employer_auth.notices.model import PendingNotice
from employer_auth.notices.rules import NoticeState, To
from servicekit import logs
from servicekit.client import Answered
from servicekit.db import Database
from servicekit.errors import JSON, Unavailable
from servicekit.personal import PersonalText

log = logs.get_logger()

CHANNEL: Final = "notices"
PATH: Final = "/api/identity/v1/notices"
KEPT: Final = timedelta(days=30)  # rows without their words, to see what became of them

_WAKE = text("SELECT pg_notify(:channel, '')")


class Asks(Protocol):
    """Asks identity under a key; ``identity_asking.IdentityAsking`` is one."""

    def post(self, path: str, body: JSON, *, key: str) -> None: ...


def notify(
    db: Session,
    account_id: str,
    template: str,
    *,
    words: Mapping[str, str],
    now: datetime,
    to: To = To.OWNER,
) -> PendingNotice:
    """Tell an account something in the app and by SMS, once this transaction commits.

    Args:
        template: of identity's list.
        words: what fills its places; kept sealed and removed as soon as identity has them.
    """
    notice = PendingNotice(
        account_id=account_id,
        to=to,
        template=template,
        words=PersonalText(json.dumps(dict(words), ensure_ascii=False)),
        state=NoticeState.WAITING,
        created_at=now,
        due_at=now,
    )
    db.add(notice)
    db.flush()
    db.execute(_WAKE, {"channel": CHANNEL})
    return notice


def send_due(database: Database, identity: Asks, *, now: datetime) -> int:
    """Hand over everything that is due; what identity cannot take now is tried later.

    Returns: how many it took.
    """
    taken = 0
    while (notice := _claim(database, now)) is not None:
        try:
            identity.post(PATH, _body(notice), key=notice.id)
        except Unavailable:
            _settle(database, notice.id, NoticeState.WAITING, now)
        except Answered as error:
            # Not the answer's text: it may repeat what was asked.
            log.error("notice refused", notice_id=notice.id, status=error.status)
            for_good = error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
            state = NoticeState.FAILED if for_good else NoticeState.WAITING
            _settle(database, notice.id, state, now)
        else:
            _settle(database, notice.id, NoticeState.TAKEN, now)
            taken += 1
    return taken


def forget(db: Session, *, now: datetime) -> None:
    """Remove the rows of notices that ended long ago."""
    db.execute(delete(PendingNotice).where(PendingNotice.ended_at < now - KEPT))


def _claim(database: Database, now: datetime) -> PendingNotice | None:
    due = select(PendingNotice).where(
        PendingNotice.state == NoticeState.WAITING, PendingNotice.due_at <= now
    )
    with database.transaction() as db:
        notice = db.scalar(
            due.order_by(PendingNotice.due_at).limit(1).with_for_update(skip_locked=True)
        )
        if notice is not None:
            notice.tries += 1
            notice.due_at = now + rules.LEASE
        return notice


def _body(notice: PendingNotice) -> dict[str, JSON]:
    assert notice.words is not None
    return {
        "account_id": notice.account_id,
        "to": notice.to.value,
        "template": notice.template,
        "words": json.loads(notice.words.expose()),
        "sms": True,
    }


def _settle(database: Database, notice_id: str, state: NoticeState, now: datetime) -> None:
    with database.transaction() as db:
        notice = db.get_one(PendingNotice, notice_id, with_for_update=True)
        wait = rules.wait_after(notice.tries) if state is NoticeState.WAITING else None
        if wait is not None:
            notice.due_at = now + wait
            return
        notice.state = NoticeState.FAILED if state is NoticeState.WAITING else state
        notice.words, notice.ended_at = None, now
