"""Puts 人才绿卡 together; nothing is decided here."""

from __future__ import annotations

from servicekit.businesses import Business, declare
from servicekit.clock import Clock, SystemClock
from servicekit.facts import Facts
from servicekit.inbox import Subscriptions
from servicekit.jobs import Jobs
from servicekit.settings import load
from servicekit.web.about import about
from servicekit.web.app import Service, ServiceApp, build
from talent_card.settings import Settings
from talent_card.tables import Base

FACTS = Facts("talent-card")
JOBS = Jobs()
declare(
    FACTS,
    JOBS,
    Business("talent-card.employer", "人才绿卡（单位）"),
)

SERVICE = Service(
    name="talent-card",
    title="人才绿卡",
    package="talent_card",
    base=Base,
    blueprints=(about("talent-card", "人才绿卡"),),
    workflows=(),
    facts=FACTS,
    subscriptions=Subscriptions("talent-card"),
    jobs=JOBS,
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> ServiceApp:
    """The service, ready to be served; its settings come from the environment unless given."""
    return build(SERVICE, settings or load(Settings, "TALENT_CARD"), clock=clock or SystemClock())
