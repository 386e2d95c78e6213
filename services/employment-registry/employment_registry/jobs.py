"""Work the registry does by the clock or when its database calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from employment_registry.certificate import actions as certificate
from employment_registry.checks.actions import CHANNEL
from employment_registry.checks.rules import System
from employment_registry.flexible_employment import actions as flexible
from employment_registry.outside import make_registers, work_off
from employment_registry.unemployment import actions as unemployment
from employment_registry.wallet import actions as wallet
from servicekit.jobs import JobContext, Jobs

JOBS = Jobs()
MATTERS: Final = {
    matter.workflow.name: matter
    for matter in (flexible.CHECKED, unemployment.CHECKED, certificate.CHECKED)
}
PERIOD: Final = timedelta(seconds=5)


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


@JOBS.every(timedelta(hours=1), name="forget-wallet-offers")
def forget_wallet_offers(context: JobContext) -> None:
    """Offers, nonces and copies whose time is over."""
    with context.database.transaction() as db:
        wallet.forget(db, now=context.clock.now())
