"""Puts 单位授权 together; nothing is decided here."""

from __future__ import annotations

from employer_auth.acting.api import acting
from employer_auth.acting.keys import key_ring
from employer_auth.authorisation_codes.api import applications as code_applications
from employer_auth.authorisation_codes.api import authorisations
from employer_auth.authorisation_codes.api import uploads as code_uploads
from employer_auth.authorisation_codes.counter_api import counter, counter_uploads
from employer_auth.authorisation_codes.review_api import reviews as code_reviews
from employer_auth.authorisation_codes.rules import WORKFLOW as CODE_WORKFLOW
from employer_auth.authorisation_codes.unit_api import unit_authorisations
from employer_auth.bindings.api import binding_history, sub_accounts
from employer_auth.bindings.person_api import parent_accounts
from employer_auth.bindings.review_api import reviews
from employer_auth.catalogue.api import businesses
from employer_auth.catalogue.rules import MANAGE_BUSINESS
from employer_auth.deeds.api import deeds
from employer_auth.employers.api import units
from employer_auth.employers.review_api import reviews as unit_reviews
from employer_auth.entrustments.agency_api import received
from employer_auth.entrustments.api import entrustments
from employer_auth.events import FACTS
from employer_auth.files import uploads_of
from employer_auth.grants.api import grants
from employer_auth.grants.person_api import own_grants
from employer_auth.handlers import SUBSCRIPTIONS
from employer_auth.jobs import JOBS
from employer_auth.objections.api import objections
from employer_auth.objections.pages import pages as objection_pages
from employer_auth.objections.review_api import reviews as objection_reviews
from employer_auth.own_bindings import OwnBindings
from employer_auth.parts import KEY, Parts
from employer_auth.person_match import CLIENT_ID, SCOPE, PersonMatch
from employer_auth.settings import Settings
from employer_auth.tables import Base
from servicekit.businesses import Business, declare
from servicekit.client import Client
from servicekit.clock import Clock, SystemClock
from servicekit.service_token import ServiceToken
from servicekit.settings import load
from servicekit.web.about import about
from servicekit.web.app import Service, ServiceApp, build

CONNECTIONS_APART = 2  # counters and keys never wait for a request's connection

declare(
    FACTS,
    JOBS,
    Business(MANAGE_BUSINESS, "单位管理", actions=("view", "manage"), unit_account=True),
)

SERVICE = Service(
    name="employer-auth",
    title="单位授权",
    package="employer_auth",
    base=Base,
    blueprints=(
        about("employer-auth", "单位授权"),
        acting,
        businesses,
        sub_accounts,
        binding_history,
        grants,
        parent_accounts,
        own_grants,
        reviews,
        entrustments,
        received,
        deeds,
        units,
        unit_reviews,
        code_uploads,
        code_applications,
        authorisations,
        unit_authorisations,
        code_reviews,
        counter,
        counter_uploads,
        objections,
        objection_pages,
        objection_reviews,
    ),
    workflows=(CODE_WORKFLOW,),
    facts=FACTS,
    subscriptions=SUBSCRIPTIONS,
    jobs=JOBS,
    keys=key_ring,
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> ServiceApp:
    """The service, ready to be served; its settings come from the environment unless given."""
    settings = settings or load(Settings, "EMPLOYER_AUTH")
    app = build(SERVICE, settings, clock=clock or SystemClock())
    app.verifier.revoked = OwnBindings(app.database, app.verifier.revoked).has_ended
    apart = app.database.apart(CONNECTIONS_APART, application_name="employer-auth counters")
    app.extensions[KEY] = Parts(
        settings,
        key_ring(apart),
        _person_match(settings, app),
        uploads_of(settings, app.vault),
        apart,
    )
    return app


def _person_match(settings: Settings, app: ServiceApp) -> PersonMatch:
    token = ServiceToken(
        settings.identity_url,
        client_id=CLIENT_ID,
        secret=settings.employer_auth_client_secret,
        scope=SCOPE,
        clock=app.clock,
        timeout=settings.outside_seconds,
    )
    client = Client(settings.identity_url, timeout=settings.outside_seconds, name="identity")
    return PersonMatch(client, token)
