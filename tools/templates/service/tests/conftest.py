"""The service over a database of its own, cloned from a migrated template."""

from collections.abc import Callable, Iterator

import pytest
from sample_service.app import create_app
from sample_service.settings import Settings

from servicekit.migrations import upgrade
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture
from servicekit.vault import new_key
from servicekit.web.app import ServiceApp


@pytest.fixture
def make_app() -> Iterator[Callable[[str], ServiceApp]]:
    """Puts the service together over the database at an address."""
    made: list[ServiceApp] = []

    def make(database_url: str) -> ServiceApp:
        settings = Settings(
            database_url=database_url,
            bus_url=f"local://{database_url}",
            field_keys=f"k1:{new_key()}",
            index_key=new_key(),
            history_key=new_key(),
        )
        made.append(create_app(settings))
        return made[-1]

    yield make
    for app in made:
        app.database.close()


@pytest.fixture
def app(
    postgres: TestPostgres,  # noqa: F811
    make_app: Callable[[str], ServiceApp],
) -> Iterator[ServiceApp]:
    """The service, migrated."""
    postgres.template_for("sample-service", lambda url: upgrade(url, "sample_service"))
    with postgres.fresh_database("sample-service") as url:
        yield make_app(url)
