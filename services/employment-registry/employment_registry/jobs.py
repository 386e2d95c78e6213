"""Work the registry does by the clock or when its database calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from employment_registry import hearing, merging, possible_duplicates
from employment_registry.certificate import actions as certificate
from employment_registry.certificate.signing import key_ring
from employment_registry.checks.actions import CHANNEL
from employment_registry.checks.rules import System
from employment_registry.exporting import Export, exports_of
from employment_registry.flexible_employment import actions as flexible
from employment_registry.outside import make_registers, work_off
from employment_registry.policy_changes import actions as policy_changes
from employment_registry.unemployment import actions as unemployment
from employment_registry.wallet import actions as wallet
from servicekit import logs
from servicekit.errors import OutsideFailed
from servicekit.exports.building import Builder
from servicekit.exports.desk import CHANNEL as EXPORTS_ASKED
from servicekit.exports.desk import Exports
from servicekit.jobs import JobContext, Jobs
from servicekit.vault import vault_of

JOBS = Jobs()
log = logs.get_logger()
MATTERS: Final = {
    matter.workflow.name: matter
    for matter in (flexible.CHECKED, unemployment.CHECKED, certificate.CHECKED)
}
PERIOD: Final = timedelta(seconds=5)
BATCH: Final = 500


# One job for each register: one that does not answer keeps nobody from asking the other.
@JOBS.on_notify(CHANNEL, name="ask-population-register", period=PERIOD)
def ask_population_register(context: JobContext) -> None:
    """Ask the police about those who filed an application."""
    ask = make_registers(context.settings).ask
    work_off(context, MATTERS, System.POPULATION_REGISTER, ask)


@JOBS.on_notify(CHANNEL, name="ask-social-security", period=PERIOD)
def ask_social_security(context: JobContext) -> None:
    """Ask social security about those who filed an application."""
    work_off(context, MATTERS, System.SOCIAL_SECURITY, make_registers(context.settings).ask)


@JOBS.on_notify(policy_changes.CHANNEL, name="try-policies")
def try_policies(context: JobContext) -> None:
    """Find out whom the drafted policies would touch, a batch at a time."""
    while not context.stop.is_set():
        with context.database.transaction() as db:
            if not policy_changes.go_on(db, now=context.clock.now()):
                return


@JOBS.every(timedelta(hours=1), name="forget-wallet-offers")
def forget_wallet_offers(context: JobContext) -> None:
    """Offers, nonces and copies whose time is over."""
    with context.database.transaction() as db:
        wallet.forget(db, now=context.clock.now())


@JOBS.every(timedelta(minutes=1), name="end-forgeable-copies")
def end_forgeable_copies(context: JobContext) -> None:
    """Copies in wallets end with the key that signed them, when it has leaked."""
    while not context.stop.is_set():
        with context.database.transaction() as db:
            if wallet.end_forgeable(db, now=context.clock.now()) < wallet.BATCH:
                return


@JOBS.every(timedelta(hours=1), name="turn-keys")
def turn_keys(context: JobContext) -> None:
    """Make the keys of certificates there should be, and turn those whose year is over."""
    key_ring(context.database).turn(now=context.clock.now())


@JOBS.every(timedelta(minutes=1), name="hear-population-register")
def hear_population_register(context: JobContext) -> None:
    """Deaths, as the police tell them."""
    _hear(context, System.POPULATION_REGISTER)


@JOBS.every(timedelta(minutes=1), name="hear-social-security")
def hear_social_security(context: JobContext) -> None:
    """Enrolments by employers and pensions, as social insurance tells them."""
    _hear(context, System.SOCIAL_SECURITY)


@JOBS.every(timedelta(hours=12), name="hear-calendar")
def hear_calendar(context: JobContext) -> None:
    """Whose retirement month has come."""
    hearing.hear_calendar(context)


@JOBS.every(timedelta(minutes=10), name="end-registrations")
def end_registrations(context: JobContext) -> None:
    """Announce what was not announced yet, and end what nobody objected to in time."""
    hearing.plan_unweighed(context)
    hearing.end_due(context)


@JOBS.every(timedelta(minutes=10), name="know-owners")
def know_owners(context: JobContext) -> None:
    """Let registrations that are nobody's count for their account as soon as they can (ER-07)."""
    with context.database.transaction() as db:
        merging.know_owners(db, most=BATCH)


@JOBS.every(timedelta(hours=1), name="index-likeness")
def index_likeness(context: JobContext) -> None:
    """Let applications from before the indexes of likeness be compared too (AL-12)."""
    done = BATCH
    while done == BATCH and not context.stop.is_set():
        with context.database.transaction() as db:
            done = possible_duplicates.index_old(db, most=BATCH)


@JOBS.on_notify(EXPORTS_ASKED, name="build-exports")
def build_exports(context: JobContext) -> None:
    """Make the spreadsheets that officers wait for."""
    Builder(exports_on(context), context.database, context.clock, context.stop).work_off()


@JOBS.every(timedelta(minutes=10), name="sweep-exports")
def sweep_exports(context: JobContext) -> None:
    """Delete the spreadsheets whose time is over."""
    exports_on(context).sweep(context.database, context.clock.now())


def exports_on(context: JobContext) -> Exports[Export]:
    """The exports of a job's service."""
    return exports_of(context.settings, vault_of(context.database.engine.dialect))


def _hear(context: JobContext, system: System) -> None:
    if system.value in context.settings.outside_off:
        return  # an installation without this register
    try:
        hearing.hear_register(context, system, make_registers(context.settings).changes[system])
    except OutsideFailed:
        log.warning("a register's changes are not heard; they will be", system=system.value)
