"""A client's connection that may be sent a file."""

from __future__ import annotations

from frontdoor.client_connection import ClientConnection
from frontdoor.sending import FilePart, Sending


class FileConnection(ClientConnection):
    """Sends files; `proxying` passes requests on beside."""

    sending: Sending | None = None
    _complete = False

    def send(self, file: FilePart, *, complete: bool) -> None:
        """Send a file after its head."""
        self._complete = complete
        self.sending = Sending(self, file)
        if self.stalled:
            self.sending.hold()
        self.progress()

    def take(self, data: bytes) -> None:
        """Some of the file."""
        self.write(data)

    def broken(self) -> None:
        """The file became shorter."""
        self.transport.abort()

    def sent(self) -> None:
        """The file is sent."""
        self.sending = None
        self.finish(complete=self._complete)

    def drop_file(self) -> None:
        """Send no more of it."""
        if self.sending is not None:
            self.sending.kill()
            self.sending = None

    def progress(self) -> None:
        """Something moved; the next thing may take as long as its directive says."""
        raise NotImplementedError
