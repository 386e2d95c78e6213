"""The separate consent to the photographs, taken back: a case ends, the photographs are deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from identity.agreements import actions as agreements
from identity.recovery import actions, queries, rules
from identity.recovery.model import Upload
from identity.recovery.queries import Recovery
from servicekit import reviewing
from servicekit.applications import advance
from servicekit.uploads import Uploads


def withdraw(db: Session, case: Recovery, *, uploads: Uploads[Upload], now: datetime) -> None:
    """Nobody looks at the photographs any more; what was decided on them stays (个人信息保护法 15).

    Raises:
        ConsentGone: none was given, or it was taken back before.
    """
    if not rules.has_photo_consent(case.photos_consent, case.photos_withdrawn_at):
        raise rules.ConsentGone
    case.photos_withdrawn_at = now
    uploads.detach(db, case.id, keep=(), now=now)
    if rules.is_over(case.state):
        return  # it was decided; only the photographs go
    reviewing.close(case)
    advance(db, actions.workflow_of(case), case, "withdraw", actor=actions.visitor(), now=now)


def withdraw_consent(
    db: Session, account_id: str, name: str, *, uploads: Uploads[Upload], now: datetime
) -> None:
    """Take any separate consent of an account back, with what hangs on it.

    Raises:
        NoAgreement, NeededForAccount, NotGiven.
    """
    agreements.withdraw(db, account_id, name, now=now)
    if name == rules.PHOTO_CONSENT:
        _withdraw_of_account(db, account_id, uploads=uploads, now=now)


def _withdraw_of_account(
    db: Session, account_id: str, *, uploads: Uploads[Upload], now: datetime
) -> None:
    """Every case about the account loses its photographs."""
    for case in queries.with_photographs(db, account_id):
        withdraw(db, case, uploads=uploads, now=now)
