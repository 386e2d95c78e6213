"""Puts 稳岗返还 together; nothing is decided here."""

from __future__ import annotations

from servicekit.clock import Clock, SystemClock
from servicekit.facts import Facts
from servicekit.inbox import Subscriptions
from servicekit.jobs import Jobs
from servicekit.settings import load
from servicekit.web.about import about
from servicekit.web.app import Service, ServiceApp, build
from stability_refund.settings import Settings
from stability_refund.tables import Base

SERVICE = Service(
    name="stability-refund",
    title="稳岗返还",
    package="stability_refund",
    base=Base,
    blueprints=(about("stability-refund", "稳岗返还"),),
    workflows=(),
    facts=Facts("stability-refund"),
    subscriptions=Subscriptions("stability-refund"),
    jobs=Jobs(),
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> ServiceApp:
    """The service, ready to be served; its settings come from the environment unless given."""
    return build(
        SERVICE, settings or load(Settings, "STABILITY_REFUND"), clock=clock or SystemClock()
    )
