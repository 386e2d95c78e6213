"""Work employer-auth does by the clock: keys turn, invitations lapse, validities end."""

from __future__ import annotations

from datetime import timedelta

from employer_auth import limits
from employer_auth.acting import keys
from employer_auth.bindings import actions as bindings
from employer_auth.bindings import queries as binding_queries
from employer_auth.grants import actions as grants
from employer_auth.grants import queries as grant_queries
from employer_auth.identity_asking import IdentityAsking
from employer_auth.notices import actions as notices
from servicekit.clock import shanghai_date
from servicekit.jobs import JobContext, Jobs

JOBS = Jobs()


@JOBS.every(timedelta(hours=1), name="turn-keys")
def turn_keys(context: JobContext) -> None:
    """Make the keys there should be, and turn those whose month is over."""
    now = context.clock.now()
    with context.database.transaction() as db:
        keys.ensure(db, now=now)
        keys.turn(db, now=now)


@JOBS.every(timedelta(seconds=30), name="end-validities")
def end_validities(context: JobContext) -> None:
    """Let invitations lapse, and bindings and grants end or begin, on their day."""
    now = context.clock.now()
    today = shanghai_date(now)
    with context.database.reading() as db:
        lapsing = binding_queries.lapsing(db, now=now, today=today)
        turning = grant_queries.turning(db, today=today)
    for binding_id in lapsing:
        with context.database.transaction() as db:
            bindings.expire(db, binding_id, now=now)
    for binding_id in turning:
        with context.database.transaction() as db:
            grants.turn(db, binding_id, now=now)


@JOBS.every(timedelta(hours=1), name="forget-tries")
def forget_tries(context: JobContext) -> None:
    """Remove counters that no longer matter, and notices that ended long ago."""
    with context.database.transaction() as db:
        limits.forget(db, now=context.clock.now())
        notices.forget(db, now=context.clock.now())


@JOBS.on_notify(notices.CHANNEL, name="send-notices")
def send_notices(context: JobContext) -> None:
    """Ask identity to tell people what happened; what it cannot take now is tried again."""
    identity = IdentityAsking(context.settings, context.clock)
    notices.send_due(context.database, identity, now=context.clock.now())
