"""How a move of a binding, an entrustment or an objection is kept: history, count, log line."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy.orm import Session

from servicekit import logs, metrics
from servicekit.applications import Actor, record
from servicekit.db import after_commit
from servicekit.workflow import Workflow

log = logs.get_logger()


class Moved(Protocol):
    """What has a state and is no application."""

    @property
    def id(self) -> str:
        """Under which its history is found."""

    @property
    def state(self) -> StrEnum:
        """Where it has been moved."""


def record_move(
    db: Session,
    workflow: Workflow[Any],
    moved: Moved,
    name: str,
    *,
    before: str,
    actor: Actor,
    now: datetime,
    note: str | None = None,
) -> None:
    """Write the move into the history; count and log it when the transaction has ended well.

    Args:
        moved: as it is now.
        before: the state it came from.
    """
    subject, after = moved.id, str(moved.state)
    record(
        db,
        workflow.name,
        subject,
        name,
        before=before,
        after=after,
        actor=actor,
        now=now,
        note=note,
    )
    after_commit(db, lambda: _tell(workflow.name, subject, name, str(before), after))


def _tell(workflow: str, subject: str, name: str, before: str, after: str) -> None:
    metrics.MOVES.labels(workflow, name, after).inc()
    log.info("moved", workflow=workflow, subject=subject, move=name, before=before, after=after)
