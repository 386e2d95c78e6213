"""Work employer-auth does by the clock: keys turn, invitations lapse, validities end."""

from __future__ import annotations

from datetime import timedelta

from employer_auth.acting import keys
from servicekit.jobs import JobContext, Jobs

JOBS = Jobs()


@JOBS.every(timedelta(hours=1), name="turn-keys")
def turn_keys(context: JobContext) -> None:
    """Make the keys there should be, and turn those whose month is over."""
    now = context.clock.now()
    with context.database.transaction() as db:
        keys.ensure(db, now=now)
        keys.turn(db, now=now)
