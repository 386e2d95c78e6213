"""One database per service: pooled connections, time limits, one transaction per request.

The column mixins and tables of ``servicekit.columns`` are offered here too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import IntegrityError, InvalidatePoolError, InvalidRequestError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from servicekit.columns import (
    ACCESS_RECORD,
    EVENT_PARKED,
    EVENT_PROGRESS,
    EVENT_SEQUENCE,
    HISTORY,
    HISTORY_HEAD,
    IDEMPOTENCY_KEY,
    INBOX,
    NOT_PERSONAL,
    OUTBOX,
    PERSONAL,
    SERIAL,
    SUBSCRIPTION,
    AccessRecordColumns,
    HistoryColumns,
    HistoryHeadColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    ParkedColumns,
    ProgressColumns,
    SequenceColumns,
    SerialColumns,
    SubscriptionColumns,
    new_id,
    standard_tables,
    words,
)
from servicekit.errors import ChangedMeanwhile
from servicekit.logs import get_logger
from servicekit.statements import DriverConnection, Writing

if TYPE_CHECKING:
    from servicekit.vault import Vault

__all__ = [
    "ACCESS_RECORD",
    "EVENT_PARKED",
    "EVENT_PROGRESS",
    "EVENT_SEQUENCE",
    "HISTORY",
    "HISTORY_HEAD",
    "IDEMPOTENCY_KEY",
    "INBOX",
    "NOT_PERSONAL",
    "OUTBOX",
    "PERSONAL",
    "SERIAL",
    "SUBSCRIPTION",
    "AccessRecordColumns",
    "Database",
    "HistoryColumns",
    "HistoryHeadColumns",
    "IdempotencyColumns",
    "InboxColumns",
    "OutboxColumns",
    "ParkedColumns",
    "ProgressColumns",
    "SequenceColumns",
    "SerialColumns",
    "SubscriptionColumns",
    "after_commit",
    "forget",
    "kept",
    "new_id",
    "plain_url",
    "sqlalchemy_url",
    "standard_tables",
    "unique_violation",
    "words",
]

log = get_logger()
Value = TypeVar("Value")

_LIMITS = {
    "statement_timeout": "10s",  # longer than any list of ours, shorter than the gateway waits
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
}
IDLE_SECONDS = 1.0  # a connection used since then is trusted; a ping is a third of a small read
POOL_SECONDS = 5  # waiting for a free connection; then the caller is told to try again
CONNECT_SECONDS = 5

_IDLE_SINCE = "servicekit.idle_since"
_AFTER_COMMIT = "servicekit.after_commit"
_KEPT = "servicekit.kept"


class Database:
    """The connections of one service in one process.

    Args:
        url: ``postgresql://user@host/name``; psycopg 3 is used whatever the scheme says.
        vault: opens and seals the personal columns; None where there are none.
        pool_size: connections at most; one per thread that works with the database.
        kept: how many stay open while nobody needs them; 0 for all.
        application_name: how PostgreSQL's own lists call us.
    """

    def __init__(
        self,
        url: str,
        *,
        vault: Vault | None,
        pool_size: int = 8,
        kept: int = 0,
        application_name: str,
    ) -> None:
        self.url = url
        self._vault = vault
        self._apart: list[Database] = []
        self._info: dict[Any, Any] = {_KEPT: {}}  # every session's: what this process keeps
        lasting = min(kept, pool_size) or pool_size
        self.engine: Engine = create_engine(
            sqlalchemy_url(url),
            pool_size=lasting,
            max_overflow=pool_size - lasting,
            pool_timeout=POOL_SECONDS,
            hide_parameters=True,  # parameters are personal data, and errors are logged
            skip_autocommit_rollback=True,
            json_deserializer=orjson.loads,
            connect_args={
                "application_name": application_name,
                "connect_timeout": CONNECT_SECONDS,
                "options": " ".join(f"-c {name}={value}" for name, value in _LIMITS.items()),
            },
        )
        self.engine.dialect.vault = vault  # type: ignore[attr-defined]
        _connect_as_ours(self.engine)
        _ping_the_idle(self.engine)
        # Reads need no BEGIN and ROLLBACK, which are a third of a small read's cost.
        self.reader: Engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back when anything is raised.

        Raises:
            ChangedMeanwhile: a row with a version was written by somebody else since it was read.
        """
        session = Writing(self.engine, self._info)
        try:
            yield session
            session.commit()
        except StaleDataError:
            session.rollback()
            raise ChangedMeanwhile from None
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()
        _tell(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that reads statement by statement; it refuses to flush changes."""
        how: dict[str, Any] = {"expire_on_commit": False, "info": self._info}
        with _Reading(self.reader, autoflush=False, **how) as session:
            yield session

    def apart(self, pool_size: int, *, application_name: str) -> Database:
        """A small pool beside this one, for what must not wait for a request's connection."""
        beside = Database(
            self.url, vault=self._vault, pool_size=pool_size, application_name=application_name
        )
        self._apart.append(beside)
        return beside

    def close(self) -> None:
        """Close every connection of the pool, and of those beside it."""
        for beside in self._apart:
            beside.close()
        self.engine.dispose()


def after_commit(db: Session, call: Callable[[], None]) -> None:
    """Run ``call`` once this transaction has committed, and never when it has not.

    For what must not be told of a change that is rolled back: log lines, metrics.
    """
    db.info.setdefault(_AFTER_COMMIT, []).append(call)


def kept(db: Session, name: str, read: Callable[[Session], Value], *, seconds: float) -> Value:
    """What ``read`` gives, kept by this process for so long at the most.

    For small tables that seldom change and that every request asks.
    """
    store: dict[str, tuple[float, Value]] = db.info.get(_KEPT, {})
    found = store.get(name)
    if found is None or time.monotonic() - found[0] >= seconds:
        found = store[name] = (time.monotonic(), read(db))
    return found[1]


def forget(db: Session, name: str) -> None:
    """Read it again from the end of this transaction on; other processes do in their time."""
    after_commit(db, lambda: db.info.get(_KEPT, {}).pop(name, None))


def unique_violation(error: IntegrityError) -> str | None:
    """The name of the unique constraint or index that was broken; None for another error."""
    cause = error.orig
    if getattr(cause, "sqlstate", None) != "23505":
        return None
    name: str | None = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return name


def sqlalchemy_url(url: str) -> URL:
    """A PostgreSQL address for SQLAlchemy with psycopg 3.

    Raises:
        ValueError: the address is not PostgreSQL's.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError("the database is PostgreSQL")
    return parsed.set(drivername="postgresql+psycopg")


def plain_url(url: str) -> str:
    """The same for psycopg itself, with its password; raises as ``sqlalchemy_url`` does."""
    return sqlalchemy_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _connect_as_ours(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, given: Any, options: Any) -> DriverConnection:
        return DriverConnection.connect(*given, **options)


def _ping_the_idle(engine: Engine) -> None:
    """A connection that lay idle may have died with its server: try it before it is handed out."""

    @event.listens_for(engine, "checkin")
    def _remember(_connection: Any, record: Any) -> None:
        record.info[_IDLE_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _try(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get(_IDLE_SINCE)
        if since is not None and time.monotonic() - since >= IDLE_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error:
                raise InvalidatePoolError from None  # the others died of the same


class _Reading(Session):
    """A session that never writes: AUTOCOMMIT would keep half of a change."""

    def flush(self, objects: Any = None) -> None:
        if self.new or self.dirty or self.deleted:
            raise InvalidRequestError("reading() does not write; open a transaction()")


def _tell(session: Session) -> None:
    for call in session.info.pop(_AFTER_COMMIT, []):
        try:
            call()
        except Exception:  # the change is made: whoever asked for it must be told so
            log.exception("nobody was told of a committed change")
