"""Brings a service's database to the newest numbered migration of its package.

Migrations are ``<package>/migrations/versions/0001_first_tables.py``, ``0002_…``. Alembic's
environment is the kit's own, so a service ships nothing but the numbered files.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, NullPool, Table, create_engine, insert, text

from servicekit.columns import HISTORY_HEAD, REVOCATION, StandardTables
from servicekit.db import sqlalchemy_url
from servicekit.history import GENESIS, LANES
from servicekit.logs import get_logger

log = get_logger()

_LOCK = 4_400_106  # of the advisory lock that lets one migrator work at a time
_WAIT_FOR_OTHER = "300s"
_WAIT_FOR_TABLE = "5s"  # then the migration fails and the service goes on as it was


def upgrade(database_url: str, package: str, *, to: str = "head") -> None:
    """Apply what is missing, alone: others who try at the same time wait and find it done.

    A database that is ahead of the code is left as it is: an old pod may start again while the
    new ones roll out.
    """
    with _alone(database_url) as connection:
        behind = to != "head" or pending(connection, package)
        connection.commit()  # each migration has a transaction of its own
        if behind:
            command.upgrade(_config(package, connection), to)
        heads = MigrationContext.configure(connection).get_current_heads()
    log.info("database migrated", package=package, revision=",".join(heads))


def downgrade(database_url: str, package: str, *, to: str) -> None:
    """Go back to a revision, ``"base"`` for nothing; for tests and the way back."""
    with _alone(database_url) as connection:
        command.downgrade(_config(package, connection), to)


def write_revision(database_url: str, package: str, metadata: MetaData, message: str) -> Path:
    """Write the next numbered migration from the difference between models and database."""
    with _alone(database_url) as connection:
        config = _config(package, connection)
        config.attributes["metadata"] = metadata
        count = len(list(ScriptDirectory.from_config(config).walk_revisions()))
        written = command.revision(
            config, message=message, autogenerate=True, rev_id=f"{count + 1:04d}"
        )
    assert isinstance(written, Script)  # it has several only where there are branches
    return Path(written.path)


def pending(connection: Connection, package: str) -> list[str]:
    """The revisions this code needs and the database lacks; empty means ready.

    A database that is ahead of the code is ready too: during a rolling update the old code
    runs on the new tables.
    """
    scripts = _scripts(package, tuple(sorted(_versions(package).glob("*.py"))))
    applied = MigrationContext.configure(connection).get_current_heads()
    try:
        wanted = scripts.iterate_revisions("head", applied or "base")
        return sorted(script.revision for script in wanted)
    except (CommandError, RevisionError):  # a revision we do not know: newer than this code
        return []


def create_standard_tables(op: Any) -> None:
    """Create outbox, inbox, history and the others; a service's 0001 calls it."""
    connection: Connection = op.get_bind()
    StandardTables.metadata.create_all(connection, tables=_first_tables())
    heads = [{"lane": lane, "position": 0, "hash": GENESIS} for lane in range(LANES)]
    connection.execute(insert(HISTORY_HEAD), heads)


def drop_standard_tables(op: Any) -> None:
    """The way back from ``create_standard_tables``."""
    StandardTables.metadata.drop_all(op.get_bind(), tables=_first_tables())


def create_revocations(op: Any) -> None:
    """Create the table of ended sessions, accounts and bindings, which came after the others."""
    REVOCATION.create(op.get_bind())


def drop_revocations(op: Any) -> None:
    """The way back from ``create_revocations``."""
    REVOCATION.drop(op.get_bind())


def _first_tables() -> list[Table]:
    return [table for table in StandardTables.metadata.sorted_tables if table is not REVOCATION]


@contextmanager
def _alone(database_url: str) -> Iterator[Connection]:
    engine = create_engine(sqlalchemy_url(database_url), poolclass=NullPool, hide_parameters=True)
    # The lock is the session's: it goes when the connection closes, whatever happens.
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{_WAIT_FOR_OTHER}'"))
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text(f"SET lock_timeout = '{_WAIT_FOR_TABLE}'"))
        connection.commit()
        yield connection
        connection.commit()


def _config(package: str, connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migration_environment"))
    config.set_main_option("version_locations", str(_versions(package)))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _versions(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no package {package}")
    return Path(spec.origin).parent / "migrations" / "versions"


@cache
def _scripts(package: str, files: tuple[Path, ...]) -> ScriptDirectory:
    """Read once per set of files; readiness asks every second."""
    return ScriptDirectory.from_config(_config(package))
