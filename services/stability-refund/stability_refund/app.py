"""Puts 稳岗返还 together; nothing is decided here."""

from __future__ import annotations

from servicekit.businesses import Business, declare
from servicekit.clock import Clock, SystemClock
from servicekit.facts import Facts
from servicekit.inbox import Subscriptions
from servicekit.jobs import Jobs
from servicekit.settings import load
from servicekit.web.about import about
from servicekit.web.app import Service, ServiceApp, build
from stability_refund.settings import Settings
from stability_refund.tables import Base

FACTS = Facts("stability-refund")
JOBS = Jobs()
declare(
    FACTS,
    JOBS,
    # 三(二): from L2 on the unit's own account may confirm it (EA-01, ID-25).
    Business("stability-refund.confirmation", "稳岗返还信息确认", unit_level=4, unit_account=True),
)

SERVICE = Service(
    name="stability-refund",
    title="稳岗返还",
    package="stability_refund",
    base=Base,
    blueprints=(about("stability-refund", "稳岗返还"),),
    workflows=(),
    facts=FACTS,
    subscriptions=Subscriptions("stability-refund"),
    jobs=JOBS,
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> ServiceApp:
    """The service, ready to be served; its settings come from the environment unless given."""
    return build(
        SERVICE, settings or load(Settings, "STABILITY_REFUND"), clock=clock or SystemClock()
    )
