"""Puts 公共招聘 together; nothing is decided here."""

from __future__ import annotations

from recruitment.settings import Settings
from recruitment.tables import Base
from servicekit.businesses import Business, declare
from servicekit.clock import Clock, SystemClock
from servicekit.facts import Facts
from servicekit.inbox import Subscriptions
from servicekit.jobs import Jobs
from servicekit.settings import load
from servicekit.web.about import about
from servicekit.web.app import Service, ServiceApp, build

FACTS = Facts("recruitment")
JOBS = Jobs()
declare(
    FACTS,
    JOBS,
    Business("recruitment.jobs", "招聘管理", unit_level=5),
    Business("recruitment.fairs", "招聘会", unit_level=5),
)

SERVICE = Service(
    name="recruitment",
    title="公共招聘",
    package="recruitment",
    base=Base,
    blueprints=(about("recruitment", "公共招聘"),),
    workflows=(),
    facts=FACTS,
    subscriptions=Subscriptions("recruitment"),
    jobs=JOBS,
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> ServiceApp:
    """The service, ready to be served; its settings come from the environment unless given."""
    return build(SERVICE, settings or load(Settings, "RECRUITMENT"), clock=clock or SystemClock())
