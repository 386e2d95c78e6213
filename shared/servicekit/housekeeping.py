"""What every service's worker does beside its own jobs.

It forgets the old, takes up what is parked, and lets signed checkpoints of the history leave.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select, text

from servicekit import history, logs, metrics
from servicekit.columns import EVENT_PARKED
from servicekit.inbox import UNDER_WAY, Subscriptions
from servicekit.jobs import Job, JobContext
from servicekit.ordering import parked_keys

OUTBOX_KEPT: Final = timedelta(days=7)
# Longer than the longest replay; after it the number per subject still tells an old event.
INBOX_KEPT: Final = timedelta(days=30)
CHECKPOINT_EVERY: Final = timedelta(minutes=10)  # what an insider could still cut off (AL-03)
CHUNK = 5_000

KEYS_KEPT: Final = timedelta(hours=24)  # AL-07; the web's own limit, after which a key is free
REVOCATIONS_KEPT: Final = timedelta(hours=1)  # no token lives that long
_KEPT: Final = {
    "outbox": OUTBOX_KEPT,
    "inbox": INBOX_KEPT,
    "idempotency_key": KEYS_KEPT,
    "revocation": REVOCATIONS_KEPT,
}
_PRUNE: Final = {
    "outbox": """DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE published_at < :before LIMIT :chunk)""",
    "inbox": """DELETE FROM inbox WHERE event_id IN (
        SELECT event_id FROM inbox WHERE handled_at < :before LIMIT :chunk)""",
    "idempotency_key": """DELETE FROM idempotency_key WHERE (actor_key, key) IN (
        SELECT actor_key, key FROM idempotency_key WHERE created_at < :before LIMIT :chunk)""",
    "revocation": """DELETE FROM revocation WHERE (kind, key) IN (
        SELECT kind, key FROM revocation WHERE heard_at < :before LIMIT :chunk)""",
}

log = logs.get_logger()


def housekeeping(subscriptions: Subscriptions) -> Iterable[Job]:
    """The jobs of the kit for one service."""

    def release(context: JobContext) -> None:
        release_parked(context, subscriptions)

    return (
        Job("prune-events", prune_events, timedelta(hours=1)),
        Job("release-parked", release, UNDER_WAY),
        Job("checkpoint-history", checkpoint_history, CHECKPOINT_EVERY),
    )


def prune_events(context: JobContext) -> None:
    """Forget published events, handled ids and answered keys, in small transactions."""
    now = context.clock.now()
    for table, kept in _KEPT.items():
        removed, last = 0, CHUNK
        while last == CHUNK and not context.stop.is_set():
            with context.database.transaction() as db:
                result = db.execute(text(_PRUNE[table]), {"before": now - kept, "chunk": CHUNK})
                last = int(getattr(result, "rowcount", 0))
            removed += last
        if removed:
            log.info("events pruned", table=table, removed=removed)


def checkpoint_history(context: JobContext) -> None:
    """Sign the heads of the history and announce them; nothing where no application ever moved."""
    with context.database.transaction() as db:
        if history.is_begun(db):
            key = history.signing_key(context.settings.history_key)
            history.checkpoint(db, key, service=context.service, now=context.clock.now())


def release_parked(context: JobContext, subscriptions: Subscriptions) -> None:
    """Take up parked events whose turn has come, and count those that wait."""
    with context.database.reading() as db:
        keys = parked_keys(db)
    for key in keys:
        if context.stop.is_set():
            return
        try:
            with context.database.transaction() as db:
                subscriptions.release(db, key, context.clock.now())
        except Exception as error:  # one event of many; it stays parked and is seen in the metric
            log.warning("parked event failed", subject=key.subject, error=type(error).__name__)
    with context.database.reading() as db:
        row = db.execute(select(func.count(), func.min(EVENT_PARKED.c.parked_at))).one()
    waited = 0.0 if row[1] is None else (context.clock.now() - row[1]).total_seconds()
    metrics.EVENTS_PARKED.labels(context.service).set(row[0])
    metrics.EVENTS_PARKED_SECONDS.labels(context.service).set(waited)
