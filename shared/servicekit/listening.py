"""A PostgreSQL connection of one's own, for what a pooled one cannot do: LISTEN and locks.

Autocommit, so notifications arrive; when it dies its locks are free at once, whatever killed it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from servicekit.db import plain_url

CONNECT_SECONDS = 5

# First half of the two-part advisory lock keys, so that the kit's uses never meet.
RELAY_LOCK = 20_101
JOB_LOCK = 20_102
LEASE_LOCK = 20_103


class Listener:
    """One connection that waits for notifications and holds session locks.

    Args:
        url: the database, as for ``Database``.
        name: how PostgreSQL's own lists call the connection.
        channels: what it listens to.
    """

    def __init__(self, url: str, *, name: str, channels: Iterable[str] = ()) -> None:
        self.connection: psycopg.Connection[Any] = psycopg.connect(
            plain_url(url),
            autocommit=True,
            application_name=name,
            connect_timeout=CONNECT_SECONDS,
            # A dead peer must not keep a lock: the server notices within seconds.
            options="-c statement_timeout=30s -c tcp_keepalives_idle=5"
            " -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3",
        )
        try:
            for channel in channels:
                self.listen(channel)
        except psycopg.Error:
            self.close()
            raise

    def listen(self, channel: str) -> None:
        """Hear what is said on a channel from now on."""
        self.connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    def wait(self, seconds: float) -> set[str]:
        """The channels on which something was said; returns early when something is."""
        heard = self.connection.notifies(timeout=seconds, stop_after=1)
        return {notification.channel for notification in heard}

    def elected(self, space: int, key: int) -> bool:
        """Try to take a session lock; it is ours until the connection ends."""
        row = self.connection.execute(
            "SELECT pg_try_advisory_lock(%s, %s)", (space, key)
        ).fetchone()
        return bool(row and row[0])

    def close(self) -> None:
        """Let go of locks and channels."""
        self.connection.close()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
