"""Where bodies wait until they are whole: bytes counted by client, and files without a name."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from frontdoor.sending import FilePart

if TYPE_CHECKING:
    from frontdoor.proxying import ProxyConnection
    from frontdoor.upstream_connection import UpstreamConnection

SHARE: Final = 4  # a client has at most one part in so many: none can leave the others nothing


class Held:
    """Bytes kept for the clients of a door.

    Args:
        most: of all together.
    """

    __slots__ = ("_by_client", "_most", "total")

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_client: dict[bytes, int] = {}
        self.total = 0

    def add(self, client: bytes, count: int) -> bool:
        """Keep so many more; False when it is too much, of all or of this client."""
        by_client = self._by_client
        own = by_client.get(client, 0) + count
        by_client[client] = own
        self.total = total = self.total + count
        return total <= self._most and own <= self._most // SHARE

    def drop(self, client: bytes, count: int) -> None:
        """They are kept no more."""
        self.total -= count
        left = self._by_client.get(client, 0) - count
        if left > 0:
            self._by_client[client] = left
        else:
            self._by_client.pop(client, None)


class Spool:
    """One body in a file that has no name and is gone with its last reader.

    Args:
        folder: where the disk is.

    Raises:
        OSError: the disk says no; also when writing.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed below
        self.size = 0

    def write(self, data: bytes) -> None:
        """Keep more of it."""
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self.size += len(data)

    def part(self) -> FilePart:
        """All of it, to be sent; it can be sent again."""
        return FilePart(os.dup(self._file.fileno()), 0, self.size)

    def close(self) -> None:
        """Forget it."""
        self._file.close()


class ToService:
    """A body on its way from its file to a service.

    Args:
        connection: the client's.
        link: the service's.
    """

    def __init__(self, connection: ProxyConnection, link: UpstreamConnection) -> None:
        self._connection = connection
        self._link = link

    def take(self, data: bytes) -> None:
        """Send it on."""
        self._connection.exchange.body_sent += len(data)
        self._link.transport.write(data)

    def progress(self) -> None:
        """Something moved."""
        self._connection.progress()

    def sent(self) -> None:
        """The service has it all."""
        self._connection.uploaded()

    def broken(self) -> None:
        """The file is not what was written: the service must not take it for the whole."""
        self._link.transport.abort()
