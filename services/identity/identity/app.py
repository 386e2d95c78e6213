"""Puts identity together; nothing is decided here."""

from __future__ import annotations

from identity.accounts import api as accounts
from identity.accounts import pages as registration
from identity.adapters.agents import HttpAgents
from identity.adapters.employer_auth import HttpEmployerAuth
from identity.administration import api as administration
from identity.administration import pages as desk_pages
from identity.agents import pages as agents
from identity.agreements import api as agreements
from identity.agreements import pages as agreement_pages
from identity.cancellations import api as cancellations
from identity.cancellations import pages as cancellation_pages
from identity.channels import make_channels
from identity.duplicates import api as duplicates
from identity.duplicates import pages as desk_duplicates
from identity.events import FACTS
from identity.federated import first_pages, first_unit_pages, raise_pages
from identity.federated import pages as channel_pages
from identity.handlers import SUBSCRIPTIONS
from identity.hashing import QUEUE, Hasher
from identity.jobs import JOBS
from identity.limits import Counts
from identity.login_history import api as login_history
from identity.matching import api as matching
from identity.messages import api as messages
from identity.messages import handlers as binding_news
from identity.messages import notice_api as notices
from identity.officers import api as officers
from identity.officers import pages as desk_officers
from identity.parts import KEY, Parts
from identity.passwords import api as passwords
from identity.recovery import case_pages, review_api, review_pages, status_pages
from identity.recovery import pages as recovery
from identity.recovery.files import uploads_of
from identity.recovery.rules import PERSON_WORKFLOW, UNIT_WORKFLOW
from identity.second_factors import api as second_factor_api
from identity.second_factors import pages as second_factors
from identity.security import pages as security
from identity.security_questions import api as security_questions
from identity.security_questions import pages as security_question_pages
from identity.settings import Settings
from identity.sign_in import api as sessions
from identity.sign_in import (
    client_api,
    client_pages,
    consent_api,
    consent_pages,
    endpoints,
    entrance,
    leaving,
    pages,
    system_api,
    unit_pages,
)
from identity.sign_in.client_assertions import ClientKeys
from identity.sign_in.keys import key_ring
from identity.sign_in.mandates import MandateReader
from identity.sign_in.provider import Provider, Surroundings
from identity.sign_in.subjects import Subjects
from identity.sign_in.tokens import OwnKeys, OwnSessions
from identity.sms_codes import api as sms_codes
from identity.sms_codes import pages as sms_pages
from identity.snapshots import api as snapshots
from identity.tables import Base
from identity.units import api as units
from identity.units import change_pages as unit_changes
from identity.units import pages as unit_registration
from identity.verification import api as verification
from identity.verification import continuing
from identity.verification import on_site_api as on_site
from identity.verification import pages as raising
from identity.verification import parking_api as parking
from servicekit.client import Client
from servicekit.clock import Clock, SystemClock
from servicekit.db import Database
from servicekit.settings import load
from servicekit.web.about import about
from servicekit.web.app import Service, ServiceApp, build
from servicekit.web.keys import RemoteKeys
from servicekit.web.tokens import is_revoked

COUNTER_CONNECTIONS = 3  # counters and keys never wait for a request's connection

binding_news.subscribe(SUBSCRIPTIONS)

SERVICE = Service(
    name="identity",
    title="统一身份认证",
    package="identity",
    base=Base,
    blueprints=(
        about("identity", "统一身份认证"),
        accounts.blueprint,
        units.blueprint,
        agents.blueprint,
        agreements.blueprint,
        agreement_pages.blueprint,
        cancellations.blueprint,
        cancellation_pages.blueprint,
        administration.blueprint,
        desk_pages.blueprint,
        duplicates.blueprint,
        desk_duplicates.blueprint,
        matching.blueprint,
        sms_codes.blueprint,
        sms_pages.blueprint,
        verification.blueprint,
        on_site.blueprint,
        raising.blueprint,
        parking.blueprint,
        continuing.blueprint,
        channel_pages.blueprint,
        raise_pages.blueprint,
        first_pages.blueprint,
        first_unit_pages.blueprint,
        messages.blueprint,
        notices.blueprint,
        login_history.blueprint,
        passwords.blueprint,
        second_factors.blueprint,
        second_factor_api.blueprint,
        security.blueprint,
        recovery.blueprint,
        case_pages.blueprint,
        status_pages.blueprint,
        review_pages.blueprint,
        review_api.person_reviews,
        review_api.unit_reviews,
        security_questions.blueprint,
        security_question_pages.blueprint,
        sessions.blueprint,
        officers.blueprint,
        desk_officers.blueprint,
        system_api.blueprint,
        snapshots.blueprint,
        client_api.blueprint,
        client_pages.blueprint,
        consent_api.blueprint,
        endpoints.blueprint,
        pages.blueprint,
        leaving.blueprint,
        unit_pages.blueprint,
        consent_pages.blueprint,
        registration.blueprint,
        unit_registration.blueprint,
        unit_changes.blueprint,
    ),
    workflows=(PERSON_WORKFLOW, UNIT_WORKFLOW),
    facts=FACTS,
    subscriptions=SUBSCRIPTIONS,
    jobs=JOBS,
    keys=key_ring,
    waiting=QUEUE,
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> ServiceApp:
    """The application, ready to serve."""
    settings = settings or load(Settings, "IDENTITY")
    app = build(SERVICE, settings, clock=clock or SystemClock())
    own = app.extensions[KEY] = _parts(settings, app)
    app.register_error_handler(entrance.Frozen, entrance.refuse_frozen)
    # Its own tokens are checked with its own keys and sessions, without a call to itself.
    app.verifier.keys = OwnKeys(own.provider.keys, app.clock.now)
    ended = OwnSessions(own.counts.database, app.clock.now).has_ended
    app.verifier.revoked = lambda claims: ended(claims) or is_revoked(app.revocations, claims)
    return app


def _parts(settings: Settings, app: ServiceApp) -> Parts:
    apart = Database(
        settings.database_url,
        vault=app.vault,
        pool_size=COUNTER_CONNECTIONS,
        application_name="identity counters",
    )
    hasher = Hasher(memory_kib=settings.password_memory_kib, time_cost=settings.password_time_cost)
    around = Surroundings(
        issuer=settings.issuer,
        public_url=settings.public_url,
        keys=key_ring(apart),
        mandates=_mandates(settings, app),
        client_keys=ClientKeys(app.clock, timeout=settings.outside_seconds),
        subjects=Subjects(app.vault),
        now=app.clock.now,
    )
    return Parts(
        settings=settings,
        counts=Counts(apart, app.vault),
        hasher=hasher,
        provider=Provider(around),
        employer_auth=HttpEmployerAuth(_employer_auth(settings)),
        agents=HttpAgents(_employer_auth(settings)),
        uploads=uploads_of(settings, app.vault),
        # Outside systems compare with their own wall clock, whatever ours pretends.
        channels=make_channels(settings, clock=SystemClock()),
    )


def _mandates(settings: Settings, app: ServiceApp) -> MandateReader:
    client = _employer_auth(settings)
    return MandateReader(
        keys=RemoteKeys("/api/employer-auth/v1/mandate-keys", app.clock, client=client),
        issuer=f"{settings.public_url}/employer-auth",
        audience=settings.issuer,
        withdrawn=app.revocations.has_withdrawn,
    )


def _employer_auth(settings: Settings) -> Client:
    seconds = settings.outside_seconds
    return Client(settings.employer_auth_url, timeout=seconds, name="employer-auth")
