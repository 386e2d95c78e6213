"""Puts 示例服务 together; nothing is decided here."""

from __future__ import annotations

from sample_service.settings import Settings
from sample_service.tables import Base
from servicekit.clock import Clock, SystemClock
from servicekit.facts import Facts
from servicekit.inbox import Subscriptions
from servicekit.jobs import Jobs
from servicekit.settings import load
from servicekit.web.about import about
from servicekit.web.app import Service, ServiceApp, build

SERVICE = Service(
    name="sample-service",
    title="示例服务",
    package="sample_service",
    base=Base,
    blueprints=(about("sample-service", "示例服务"),),
    workflows=(),
    facts=Facts("sample-service"),
    subscriptions=Subscriptions("sample-service"),
    jobs=Jobs(),
)


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> ServiceApp:
    """The service, ready to be served; its settings come from the environment unless given."""
    return build(
        SERVICE, settings or load(Settings, "SAMPLE_SERVICE"), clock=clock or SystemClock()
    )
