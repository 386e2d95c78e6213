"""Puts the employment registry together; nothing is decided here."""

from __future__ import annotations

from employment_registry.certificate import api as certificate
from employment_registry.certificate import queries as certificate_queries
from employment_registry.certificate import review_api as certificate_reviews
from employment_registry.certificate import rules as certificate_rules
from employment_registry.certificate import verification
from employment_registry.certificate.signing import Signer, key_ring
from employment_registry.checks.rules import System
from employment_registry.events import FACTS
from employment_registry.exporting import exports_of
from employment_registry.flexible_employment import api as flexible
from employment_registry.flexible_employment import review_api as flexible_reviews
from employment_registry.flexible_employment import rules as flexible_rules
from employment_registry.guides import api as guides
from employment_registry.guides import pages as guide_pages
from employment_registry.handlers import SUBSCRIPTIONS
from employment_registry.jobs import JOBS
from employment_registry.life_events import api as life_events
from employment_registry.life_events import review_api as ending_reviews
from employment_registry.life_events import rules as ending_rules
from employment_registry.officer_desk import counts
from employment_registry.parts import KEY, Parts
from employment_registry.policy_changes import api as policy_changes
from employment_registry.settings import Settings
from employment_registry.tables import Base
from employment_registry.unemployment import api as unemployment
from employment_registry.unemployment import review_api as unemployment_reviews
from employment_registry.unemployment import rules as unemployment_rules
from employment_registry.userinfo import TIMEOUT_SECONDS, Userinfo
from employment_registry.wallet import api as wallet
from employment_registry.wallet import endpoints as wallet_endpoints
from employment_registry.wallet import queries as wallet_queries
from servicekit.businesses import Business, declare
from servicekit.client import Client, refuse_simulators
from servicekit.clock import Clock, SystemClock
from servicekit.settings import BadSettings, load, outside_addresses
from servicekit.web.about import about
from servicekit.web.app import Service, ServiceApp, build

PREFIX = "EMPLOYMENT_REGISTRY"
CONNECTIONS_APART = 1  # keys never wait for a request's connection

declare(
    FACTS,
    JOBS,
    Business("employment-registry.staff-registration", "就业登记（单位）"),
)


SERVICE = Service(
    name="employment-registry",
    title="就业登记",
    package="employment_registry",
    base=Base,
    blueprints=(
        about("employment-registry", "就业登记"),
        flexible.registrations,
        flexible.records,
        flexible_reviews.reviews,
        unemployment.applications,
        unemployment.records,
        unemployment_reviews.reviews,
        certificate.applications,
        certificate.certificates,
        certificate_reviews.reviews,
        certificate_reviews.issued,
        life_events.endings,
        ending_reviews.reviews,
        counts,
        verification.verifications,
        verification.published,
        verification.pages,
        wallet.wallet,
        wallet.types,
        wallet_endpoints.well_known,
        wallet_endpoints.protocol,
        guides.guides,
        guides.checks,
        guide_pages.pages,
        policy_changes.policies,
    ),
    workflows=(
        flexible_rules.WORKFLOW,
        unemployment_rules.WORKFLOW,
        certificate_rules.WORKFLOW,
        ending_rules.WORKFLOW,
    ),
    facts=FACTS,
    subscriptions=SUBSCRIPTIONS,
    jobs=JOBS,
    keys=key_ring,
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> ServiceApp:
    """The service, ready to be served; its settings come from the environment unless given.

    Raises:
        BadSettings: an unknown register is switched off; in production also when a simulator
            answers at one of the addresses.
    """
    settings = settings or load(Settings, PREFIX)
    if unknown := set(settings.outside_off) - {system.value for system in System}:
        raise BadSettings(f"{PREFIX}_OUTSIDE_OFF: no such register: {', '.join(sorted(unknown))}")
    if settings.environment == "production":
        refuse_simulators(outside_addresses(settings, PREFIX))
    app = build(SERVICE, settings, clock=clock or SystemClock())
    client = Client(settings.identity_url, timeout=TIMEOUT_SECONDS, name="identity")
    apart = app.database.apart(CONNECTIONS_APART, application_name=f"{SERVICE.name} keys")
    signer = Signer(key_ring(apart), f"{settings.public_url}/api/employment-registry/v1")
    status_list = verification.StatusList(
        signer, app.database, certificate_queries.ended, wallet_queries.ended
    )
    exports = exports_of(settings, app.vault)
    app.extensions[KEY] = Parts(settings, Userinfo(client), signer, status_list, exports)
    return app
