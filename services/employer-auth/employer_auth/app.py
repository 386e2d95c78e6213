"""Puts 单位授权 together; nothing is decided here."""

from __future__ import annotations

from employer_auth.acting.api import acting
from employer_auth.acting.keys import KeyRing
from employer_auth.events import FACTS
from employer_auth.handlers import SUBSCRIPTIONS
from employer_auth.jobs import JOBS
from employer_auth.parts import KEY, Parts
from employer_auth.settings import Settings
from employer_auth.tables import Base
from servicekit.clock import Clock, SystemClock
from servicekit.settings import load
from servicekit.web.about import about
from servicekit.web.app import Service, ServiceApp, build

SERVICE = Service(
    name="employer-auth",
    title="单位授权",
    package="employer_auth",
    base=Base,
    blueprints=(
        about("employer-auth", "单位授权"),
        acting,
    ),
    workflows=(),
    facts=FACTS,
    subscriptions=SUBSCRIPTIONS,
    jobs=JOBS,
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> ServiceApp:
    """The service, ready to be served; its settings come from the environment unless given."""
    settings = settings or load(Settings, "EMPLOYER_AUTH")
    app = build(SERVICE, settings, clock=clock or SystemClock())
    app.extensions[KEY] = Parts(settings, KeyRing(app.database))
    return app
