"""One migrated database per test, cloned from a template."""

from servicekit.testing.postgres import postgres  # noqa: F401 - a fixture
