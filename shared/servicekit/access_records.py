"""Looking at the clear text of a personal value leaves a record (AL-04).

``reveal`` is how an officer sees a number in full. The owner reads their own values by
``expose`` in the service that keeps them; that is no look of somebody else's.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from servicekit import metrics, tracing
from servicekit.applications import Actor
from servicekit.columns import ACCESS_RECORD, new_id
from servicekit.db import after_commit
from servicekit.errors import Invalid
from servicekit.personal import Personal


class ReasonMissing(Invalid):
    """Nobody looks at a clear value, or withdraws a key, without saying why."""

    code = "reason-required"
    default_message = "请填写查看原因"


def reveal(
    db: Session,
    value: Personal,
    *,
    column: str,
    record_id: str,
    owner_id: str,
    actor: Actor,
    reason: str,
    now: datetime,
) -> str:
    """Write the access record in this transaction and return the clear text.

    Args:
        column: ``table.column`` of the value.
        record_id: the row it is in.
        owner_id: the account of the person it is about.
        reason: why, in the officer's words.

    Raises:
        ReasonMissing: the reason is empty.
    """
    record_look(
        db,
        column=column,
        record_id=record_id,
        owner_id=owner_id,
        actor=actor,
        reason=reason,
        now=now,
    )
    return value.expose()


def record_look(
    db: Session,
    *,
    column: str,
    record_id: str,
    owner_id: str,
    actor: Actor,
    reason: str,
    now: datetime,
) -> None:
    """Only the record, for what is no column's value: a document's picture.

    Raises:
        ReasonMissing: the reason is empty.
    """
    if not reason.strip():
        raise ReasonMissing
    here = tracing.current()
    row = {
        "id": new_id(),
        "at": now,
        "actor_id": actor.id,
        "person_id": actor.person_id,
        "role": actor.role.value,
        "session_id": actor.session_id,
        "column": column,
        "record_id": record_id,
        "owner_id": owner_id,
        "reason": reason.strip(),
        "trace_id": None if here is None else here.trace_id,
    }
    db.execute(insert(ACCESS_RECORD).values(row))
    after_commit(db, metrics.REVEALS.labels(column, actor.role.value).inc)
