"""Work identity does by the clock: send SMS, turn keys, forget what no longer counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from identity import officer_news
from identity.adapters.logout_receivers import HttpLogoutReceivers, LogoutReceivers
from identity.adapters.sms_gateway import HttpSmsGateway, SmsGateway
from identity.cancellations import actions as cancellations
from identity.duplicates import actions as duplicates
from identity.limits import forget_counts
from identity.login_history import actions as history
from identity.messages import actions as messages
from identity.recovery import actions as recovery
from identity.recovery import stops
from identity.recovery.files import uploads_on
from identity.second_factors import passkeys
from identity.sign_in import (
    clients,
    keys,
    logout_notices,
    mandates,
    pushed,
    replays,
    store,
)
from identity.sign_in.sessions import LOGOUT_CHANNEL
from identity.sign_in.subjects import Subjects
from identity.units import registering as units
from identity.verification import challenges, levels, parking
from servicekit.client import Client
from servicekit.jobs import JobContext, Jobs
from servicekit.vault import vault_of

JOBS = Jobs()

_BATCH: Final = 50


@JOBS.on_notify(messages.CHANNEL, name="send-sms", period=timedelta(seconds=5))
def send_sms(context: JobContext) -> None:
    """Hand every waiting SMS to the gateway; no transaction is open meanwhile."""
    settings = context.settings
    real = settings.environment == "production"
    seconds = settings.outside_seconds
    client = Client(settings.sms_url, timeout=seconds, name="sms", simulators=not real)
    deliver(context, HttpSmsGateway(client))


def deliver(context: JobContext, gateway: SmsGateway) -> None:
    """Send batch by batch until nothing waits."""
    with context.database.transaction() as db:
        messages.drop_useless(db, now=context.clock.now())
    while not context.stop.is_set():
        with context.database.transaction() as db:
            tasks = messages.claim(db, now=context.clock.now(), most=_BATCH)
        for task in tasks:
            outcome = gateway.send(to=task.phone, text=task.text, reference=task.reference)
            with context.database.transaction() as db:
                messages.finish(db, task, outcome, now=context.clock.now())
        if len(tasks) < _BATCH:
            return


@JOBS.on_notify(LOGOUT_CHANNEL, name="send-logout-tokens", period=timedelta(seconds=5))
def send_logout_tokens(context: JobContext) -> None:
    """Tell clients which logins ended; no transaction is open meanwhile (ID-40)."""
    tell_clients(context, HttpLogoutReceivers(timeout=context.settings.outside_seconds))


def tell_clients(context: JobContext, receivers: LogoutReceivers) -> None:
    """Tell batch by batch until nothing is due."""
    ring = keys.key_ring(context.database)
    names = Subjects(vault_of(context.database.engine.dialect))
    issuer = context.settings.issuer
    while not context.stop.is_set():
        with context.database.transaction() as db:
            due = logout_notices.claim(db, now=context.clock.now(), most=_BATCH)
        for notice in due:
            token = logout_notices.logout_token(
                notice, issuer=issuer, keys=ring, subjects=names, now=context.clock.now()
            )
            told = receivers.tell(notice.uri, token)
            with context.database.transaction() as db:
                logout_notices.finish(
                    db, notice.id, told.result, is_over=told.is_over, now=context.clock.now()
                )
        if len(due) < _BATCH:
            return


@JOBS.every(timedelta(hours=1), name="turn-keys")
def turn_keys(context: JobContext) -> None:
    """Make the keys there should be, and turn those whose month is over (ID-44)."""
    keys.key_ring(context.database).turn(now=context.clock.now())


@JOBS.every(timedelta(hours=1), name="write-clients")
def write_clients(context: JobContext) -> None:
    """Keep our own clients as the settings have them, where nobody seeds."""
    with context.database.transaction() as db:
        clients.write_own(db, context.settings, now=context.clock.now())


@JOBS.every(timedelta(hours=1), name="forget-old-tokens")
def forget_old(context: JobContext) -> None:
    """Remove codes, tokens and counters that no longer matter."""
    now = context.clock.now()
    with context.database.transaction() as db:
        store.forget_old(db, now=now)
        replays.forget_old(db, now=now)
        mandates.forget_old(db, now=now)
        pushed.forget_old(db, now=now)
        logout_notices.forget_old(db, now=now)
        forget_counts(db, now=now)
        history.forget_old(db, now=now)
        passkeys.forget_challenges(db, now=now)
        recovery.forget_drafts(db, now=now)


@JOBS.every(timedelta(minutes=10), name="sweep-uploads")
def sweep_uploads(context: JobContext) -> None:
    """Delete photographs that nobody filed, and those of cases decided long enough ago."""
    uploads_on(context.settings, context.database).sweep(context.database, context.clock.now())


@JOBS.on_notify(recovery.CHANNEL, name="warn-old-phones", period=timedelta(seconds=30))
def warn_old_phones(context: JobContext) -> None:
    """Tell whoever holds an account that somebody asks for it, with the code that stops it."""
    address = f"{context.settings.public_url}/identity/recovery/stop"
    while not context.stop.is_set():
        with context.database.transaction() as db:
            vault = vault_of(db.get_bind().dialect)
            if not stops.warn_old_phones(
                db, stop_address=address, vault=vault, now=context.clock.now()
            ):
                return


@JOBS.every(timedelta(minutes=1), name="tell-guessed")
def tell_guessed(context: JobContext) -> None:
    """Tell owners at whose name somebody guesses (ID-08)."""
    with context.database.transaction() as db:
        history.tell_guessed(db, now=context.clock.now())


@JOBS.every(timedelta(minutes=1), name="lapse-evidence")
def lapse_evidence(context: JobContext) -> None:
    """Let levels fall whose evidence expired, batch by batch."""
    while not context.stop.is_set():
        with context.database.transaction() as db:
            if levels.lapse(db, now=context.clock.now()) == 0:
                return


@JOBS.every(timedelta(hours=1), name="carry-out-cancellations")
def carry_out_cancellations(context: JobContext) -> None:
    """End the accounts whose cooling-off is over (ID-17)."""
    with context.database.transaction() as db:
        cancellations.carry_out_due(db, now=context.clock.now())


@JOBS.every(timedelta(hours=1), name="announce-officers")
def announce_officers(context: JobContext) -> None:
    """Let other services know the officers they were never told of (ID-45)."""
    while not context.stop.is_set():
        with context.database.transaction() as db:
            if not officer_news.announce_former(db, now=context.clock.now()):
                return


@JOBS.every(timedelta(hours=1), name="forget-unit-registrations")
def forget_unit_registrations(context: JobContext) -> None:
    """Delete registrations of units that were begun and not finished, with what was typed."""
    with context.database.transaction() as db:
        units.forget_old(db, now=context.clock.now())


@JOBS.every(timedelta(hours=1), name="forget-challenges")
def forget_challenges(context: JobContext) -> None:
    """Remove proofs that nobody finished, and what was parked and not come back for."""
    now = context.clock.now()
    with context.database.transaction() as db:
        challenges.forget_old(db, now=now)
        parking.forget_old(db, now=now)


@JOBS.every(timedelta(hours=1), name="index-likeness")
def index_likeness(context: JobContext) -> None:
    """Let persons from before the index of likeness be compared too (AL-12)."""
    while not context.stop.is_set():
        with context.database.transaction() as db:
            if not duplicates.index_old(db):
                return
