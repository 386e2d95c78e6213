"""Puts 单位授权 together; nothing is decided here."""

from __future__ import annotations

from employer_auth.settings import Settings
from employer_auth.tables import Base
from servicekit.clock import Clock, SystemClock
from servicekit.facts import Facts
from servicekit.inbox import Subscriptions
from servicekit.jobs import Jobs
from servicekit.settings import load
from servicekit.web.about import about
from servicekit.web.app import Service, ServiceApp, build

SERVICE = Service(
    name="employer-auth",
    title="单位授权",
    package="employer_auth",
    base=Base,
    blueprints=(about("employer-auth", "单位授权"),),
    workflows=(),
    facts=Facts("employer-auth"),
    subscriptions=Subscriptions("employer-auth"),
    jobs=Jobs(),
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> ServiceApp:
    """The service, ready to be served; its settings come from the environment unless given."""
    return build(SERVICE, settings or load(Settings, "EMPLOYER_AUTH"), clock=clock or SystemClock())
