"""A migrated database per test, cloned from a template made once."""

from __future__ import annotations

import pytest

from servicekit import migrations
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture

SERVICE = "employment-registry"


@pytest.fixture(scope="session")
def template(postgres: TestPostgres) -> str:  # noqa: F811
    """The name under which the service's migrated database is cloned."""
    postgres.template_for(SERVICE, lambda url: migrations.upgrade(url, "employment_registry"))
    return SERVICE
