"""Work employer-auth does by the clock: keys turn, invitations lapse, the past is caught up."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from employer_auth import limits
from employer_auth.acting import keys
from employer_auth.authorisation_codes import lapsing
from employer_auth.authorisation_codes import queries as code_queries
from employer_auth.bindings import actions as bindings
from employer_auth.bindings import moves
from employer_auth.bindings import queries as binding_queries
from employer_auth.catalogue import actions as catalogue
from employer_auth.catalogue import queries as catalogue_queries
from employer_auth.entrustments import actions as entrustments
from employer_auth.entrustments import queries as entrustment_queries
from employer_auth.files import uploads_on
from employer_auth.grants import actions as grants
from employer_auth.grants import queries as grant_queries
from employer_auth.handlers import SNAPSHOTS
from employer_auth.identity_asking import IdentityAsking
from employer_auth.management import actions as management
from employer_auth.management import queries as management_queries
from employer_auth.notices import actions as notices
from employer_auth.objections import actions as objections
from employer_auth.objections import freezing
from servicekit.clock import shanghai_date
from servicekit.jobs import JobContext, Jobs

JOBS = Jobs()

_BATCH: Final = 200


@JOBS.every(timedelta(hours=1), name="turn-keys")
def turn_keys(context: JobContext) -> None:
    """Make the keys there should be, and turn those whose month is over."""
    keys.key_ring(context.database).turn(now=context.clock.now())


@JOBS.every(timedelta(seconds=30), name="end-validities")
def end_validities(context: JobContext) -> None:
    """Let invitations lapse, and bindings and grants end or begin, on their day."""
    now = context.clock.now()
    today = shanghai_date(now)
    with context.database.reading() as db:
        lapsing = binding_queries.lapsing(db, now=now, today=today)
        turning = grant_queries.turning(db, today=today)
        over = entrustment_queries.over(db, today=today)
    for entrustment_id in over:
        with context.database.transaction() as db:
            entrustments.expire(db, entrustment_id, now=now)
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
        objections.forget(db, now=context.clock.now())


@JOBS.on_notify(notices.CHANNEL, name="send-notices")
def send_notices(context: JobContext) -> None:
    """Ask identity to tell people what happened; what it cannot take now is tried again."""
    identity = IdentityAsking(context.settings, context.clock)
    notices.send_due(context.database, identity, now=context.clock.now())


@JOBS.every(timedelta(hours=1), name="look-after-management")
def look_after_management(context: JobContext) -> None:
    """Warn the units nobody manages any more, and restrict those whose days are over."""
    today = shanghai_date(context.clock.now())
    with context.database.reading() as db:
        units = management_queries.unmanaged(db, today=today)
    _look(context, units)


@JOBS.on_notify(management.CHANNEL, name="relieve-managed", period=timedelta(minutes=5))
def relieve_managed(context: JobContext) -> None:
    """Somebody was granted something: whoever manages again has its agents back at once."""
    with context.database.reading() as db:
        units = management_queries.warned(db)
    _look(context, units)


def _look(context: JobContext, units: list[str]) -> None:
    days = context.settings.unmanaged_days
    for unit_id in units:
        with context.database.transaction() as db:
            management.look(db, unit_id, now=context.clock.now(), days=days)


@JOBS.every(timedelta(seconds=15), name="catch-up")
def catch_up(context: JobContext) -> None:
    """Read what identity had told before this service began to hear it; once (decision 0016)."""
    identity = IdentityAsking(context.settings, context.clock, scope="snapshots")
    SNAPSHOTS.catch_up(context, identity.get)


@JOBS.every(timedelta(minutes=10), name="sweep-uploads")
def sweep_uploads(context: JobContext) -> None:
    """Delete files left half-written, never used, replaced, or kept long enough (AL-05)."""
    uploads = uploads_on(context.settings, context.database)
    uploads.sweep(context.database, context.clock.now())


@JOBS.on_notify(catalogue.CHANNEL, name="revise-narrowed", period=timedelta(minutes=1))
def revise_narrowed(context: JobContext) -> None:
    """A business offers less than before: tokens that may say too much end, batch by batch."""
    with context.database.reading() as db:
        businesses = catalogue_queries.narrowed(db)
    for code, since in businesses:
        while not context.stop.is_set():
            with context.database.reading() as db:
                batch = grant_queries.holding(db, code, revised_before=since, most=_BATCH)
            for binding_id in batch:
                with context.database.transaction() as db:
                    binding = binding_queries.hold(db, binding_id)
                    moves.revise(db, binding, now=context.clock.now())
            if len(batch) < _BATCH:
                with context.database.transaction() as db:
                    catalogue.settle_narrowed(db, code, since)
                break


@JOBS.on_notify(objections.CHANNEL, name="handle-objections")
def handle_objections(context: JobContext) -> None:
    """Send the codes that were asked for, and freeze the units whose code came back (EA-12)."""
    settings, now = context.settings, context.clock.now()
    lasts = timedelta(days=settings.objection_days)
    objections.send_codes(context.database, now=now, lasts=lasts)
    freezing.take_in_all(context.database, now=now, review_days=settings.objection_review_days)


@JOBS.every(timedelta(hours=6), name="lapse-code-applications")
def lapse_code_applications(context: JobContext) -> None:
    """End applications for codes that nobody goes on with, and let their papers go."""
    settings, now = context.settings, context.clock.now()
    before = now - timedelta(days=settings.code_idle_days)
    with context.database.reading() as db:
        forgotten = code_queries.forgotten(db, before)
    for application_id in forgotten:
        with context.database.transaction() as db:
            lapsing.lapse(
                db,
                application_id,
                uploads=uploads_on(settings, context.database),
                now=now,
                before=before,
                keep_for=timedelta(days=settings.code_materials_days),
            )
