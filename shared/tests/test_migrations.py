"""Migrations: numbered files of the package, applied once by whoever comes first."""

import importlib
import sys
import threading

import pytest
from sqlalchemy import Column, Integer, MetaData, NullPool, Table, create_engine, inspect, text

from servicekit.db import Database, sqlalchemy_url
from servicekit.migrations import downgrade, pending, upgrade, write_revision

pytestmark = pytest.mark.req("OP-01")

FIRST = '''"""The first tables."""

from alembic import op
from servicekit.migrations import (
    create_revocations,
    create_standard_tables,
    drop_revocations,
    drop_standard_tables,
)

revision = "0001"
down_revision = None


def upgrade():
    create_standard_tables(op)
    create_revocations(op)


def downgrade():
    drop_revocations(op)
    drop_standard_tables(op)
'''
SECOND = '''"""A second table."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_table("chair", sa.Column("id", sa.Integer, primary_key=True))


def downgrade():
    op.drop_table("chair")
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    name = f"furniture_{tmp_path.name}".replace("-", "_")
    versions = tmp_path / name / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / name / "__init__.py").write_text('"""Furniture."""\n')
    (versions / "0001_first_tables.py").write_text(FIRST)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield name, versions
    sys.modules.pop(name, None)


@pytest.fixture
def empty(postgres):
    with postgres.fresh_database() as url:
        yield url


def tables(url):
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def waiting(url, name):
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        return pending(connection, name)


def test_upgrade_creates_the_standard_tables_and_downgrade_removes_them(package, empty):
    name, _ = package
    assert waiting(empty, name) == ["0001"]
    upgrade(empty, name)
    assert waiting(empty, name) == []
    assert {"outbox", "inbox", "application_history", "idempotency_key"} <= tables(empty)
    upgrade(empty, name)
    downgrade(empty, name, to="base")
    assert tables(empty) == {"alembic_version"}
    upgrade(empty, name)


def test_many_at_once_apply_it_once(package, empty):
    name, _ = package
    failures = []

    def migrate():
        try:
            upgrade(empty, name)
        except Exception as failure:
            failures.append(failure)

    migrators = [threading.Thread(target=migrate) for _ in range(4)]
    for migrator in migrators:
        migrator.start()
    for migrator in migrators:
        migrator.join()
    assert failures == []
    assert waiting(empty, name) == []


def test_a_failing_migration_changes_nothing(package, empty):
    name, versions = package
    (versions / "0002_breaks.py").write_text(
        SECOND.replace("def downgrade", "    raise RuntimeError\n\n\ndef downgrade", 1)
    )
    with pytest.raises(RuntimeError):
        upgrade(empty, name)
    assert "chair" not in tables(empty)
    assert "outbox" in tables(empty)  # the first one had its own transaction


def test_code_older_than_the_database_is_ready(package, empty):
    name, versions = package
    newer = versions / "0002_chair.py"
    newer.write_text(SECOND)
    upgrade(empty, name)
    newer.unlink()
    assert waiting(empty, name) == []


def test_code_newer_than_the_database_is_not_ready(package, empty):
    name, versions = package
    upgrade(empty, name)
    (versions / "0002_chair.py").write_text(SECOND)
    assert waiting(empty, name) == ["0002"]


def test_a_written_migration_takes_the_next_number_and_runs(package, empty):
    name, versions = package
    upgrade(empty, name)
    metadata = MetaData()
    engine = create_engine(sqlalchemy_url(empty), poolclass=NullPool)
    metadata.reflect(engine)
    Table("table_of_oak", metadata, Column("id", Integer, primary_key=True))
    path = write_revision(empty, name, metadata, "oak")
    assert path == versions / "0002_oak.py"
    assert "op.create_table('table_of_oak'" in path.read_text().replace('"', "'")
    upgrade(empty, name)
    assert "table_of_oak" in tables(empty)


def test_the_standard_tables_of_migration_and_models_agree(package, empty, room):
    """A service's own Base and the kit's migration describe the same tables."""
    name, _ = package
    upgrade(empty, name)
    created = inspect(create_engine(sqlalchemy_url(empty), poolclass=NullPool))
    for table in room.base.metadata.sorted_tables:
        if table.name != "paper":
            assert {c["name"] for c in created.get_columns(table.name)} == set(table.c.keys())
            assert {i["name"] for i in created.get_indexes(table.name)} >= {
                i.name for i in table.indexes
            }


def test_the_lock_is_free_afterwards(package, empty):
    name, _ = package
    upgrade(empty, name)
    database = Database(empty, vault=None, application_name="kit-tests")
    with database.reading() as db:
        held = text(
            "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database "
            "WHERE locktype = 'advisory' AND datname = current_database()"
        )
        assert db.scalar(held) == 0
    database.close()


def test_an_unknown_package_is_named(empty):
    with pytest.raises(ModuleNotFoundError, match="no package nowhere_at_all"):
        upgrade(empty, "nowhere_at_all")
