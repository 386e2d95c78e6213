"""A rollout goes over a running suite: old pods live on a database that is ahead of them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from servicekit.db import sqlalchemy_url
from servicekit.migrations import pending, upgrade
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture


@pytest.fixture
def database_url(postgres: TestPostgres) -> Iterator[str]:  # noqa: F811
    with postgres.fresh_database() as url:
        upgrade(url, "recruitment")
        yield url


@pytest.mark.req("OP-01")
def test_old_code_is_ready_and_migrates_nothing_on_a_newer_database(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    upgrade(database_url, "recruitment")
    with engine.connect() as db:
        assert pending(db, "recruitment") == []
        assert db.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


@pytest.mark.req("OP-01")
def test_new_code_waits_for_its_migrations(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as db:
        db.execute(text("DELETE FROM alembic_version"))
        assert pending(db, "recruitment") == ["0001"]
    engine.dispose()
