"""The numbered migrations make exactly the tables the models describe, and unmake them."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from employer_auth.app import SERVICE
from servicekit import migrations
from servicekit.db import Database
from servicekit.testing.postgres import TestPostgres

PACKAGE = "employer_auth"


def test_the_migrations_agree_with_the_models_and_can_be_undone(postgres: TestPostgres) -> None:
    with postgres.fresh_database() as url:
        migrations.upgrade(url, PACKAGE)
        database = Database(url, vault=None, application_name="test")
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, SERVICE.base.metadata) == []
            assert migrations.pending(connection, PACKAGE) == []
        migrations.downgrade(url, PACKAGE, to="base")
        with database.engine.connect() as connection:
            assert inspect(connection).get_table_names() == ["alembic_version"]
        database.close()
