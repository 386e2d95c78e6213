"""The numbered migrations make exactly the tables the models describe, and unmake them."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from employment_registry.flexible_employment import model
from employment_registry.tables import Base
from servicekit import migrations
from servicekit.db import Database
from servicekit.testing.postgres import TestPostgres

PACKAGE = "employment_registry"


@pytest.mark.req("EMP-10")
def test_the_migrations_agree_with_the_models(postgres: TestPostgres) -> None:
    with postgres.fresh_database() as url:
        migrations.upgrade(url, PACKAGE)
        database = Database(url, vault=None, application_name="test")
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []
            indexes = {
                index["name"]: index
                for table in (model.APPLICATION, model.RECORD)
                for index in inspect(connection).get_indexes(table)
            }
            assert migrations.pending(connection, PACKAGE) == []
        database.close()
    for rule in (model.ONE_OPEN, model.ONE_VALID):
        for suffix in ("per_account", "per_person"):
            index = indexes[f"{rule}_{suffix}"]
            assert index["unique"]
            assert index["dialect_options"]["postgresql_where"]


def test_the_way_back_leaves_nothing(postgres: TestPostgres) -> None:
    with postgres.fresh_database() as url:
        migrations.upgrade(url, PACKAGE)
        migrations.downgrade(url, PACKAGE, to="base")
        database = Database(url, vault=None, application_name="test")
        with database.engine.connect() as connection:
            assert inspect(connection).get_table_names() == ["alembic_version"]
        database.close()
