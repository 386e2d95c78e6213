"""Keeps a web process's list of revocations as new as the service's table (ID-43)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg

from servicekit import logs
from servicekit.bus import pause_after
from servicekit.listening import Listener
from servicekit.revocations import CHANNEL, HEARD_SINCE, KEPT, Revocations

# Seconds; a notification comes at once, this is for one that was lost and for a dead connection,
# which psycopg notices when it next speaks. Two seconds are promised.
LOOK_EVERY: Final = 1.0
# Rows of transactions that committed later than younger ones are read again.
OVERLAP: Final = timedelta(seconds=10)

log = logs.get_logger()


class RevocationFeed(threading.Thread):
    """Reads the table when the process starts, and each time a row is written.

    Args:
        url: the service's database.
        service: how PostgreSQL's own lists call the connection.
        revocations: what is kept up to date.
    """

    def __init__(self, url: str, service: str, revocations: Revocations) -> None:
        super().__init__(name="revocations", daemon=True)
        self.stop = threading.Event()
        self._url = url
        self._service = service
        self._revocations = revocations

    def run(self) -> None:
        """Listen until told to stop; a lost connection is made again and everything read anew."""
        failures = 0
        while not self.stop.is_set():
            try:
                self._listen()
                failures = 0
            except psycopg.Error as error:
                failures += 1
                log.warning("revocations cannot be read", error=type(error).__name__)
                self.stop.wait(pause_after(failures))

    def _listen(self) -> None:
        name = f"{self._service}-revocations"
        with Listener(self._url, name=name, channels=(CHANNEL,)) as listener:
            seen = self._read(listener, datetime.now(UTC) - KEPT)
            while not self.stop.is_set():
                listener.wait(LOOK_EVERY)
                seen = self._read(listener, seen - OVERLAP)

    def _read(self, listener: Listener, since: datetime) -> datetime:
        newest = since + OVERLAP
        for kind, key, at, version, heard_at in listener.connection.execute(HEARD_SINCE, (since,)):
            self._revocations.note(kind, key, at=at, version=version)
            newest = max(newest, heard_at)
        return newest
