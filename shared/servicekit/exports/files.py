"""The bytes of an export in the storage: sealed piece by piece, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from servicekit.exports.rules import ExportNotReady
from servicekit.exports.table import ExportColumns
from servicekit.storage import Storage
from servicekit.vault import Vault

PIECE: Final = 1024 * 1024  # bytes of one object


@dataclass(frozen=True, slots=True)
class Files:
    """Where a service's exports lie, and what seals them."""

    storage: Storage
    vault: Vault
    service: str

    def put(self, row: ExportColumns, path: Path) -> str:
        """Seal a file away under the row's attempt.

        Returns: its SHA-256.

        Raises:
            StorageUnavailable
        """
        digest = sha256()
        with path.open("rb") as file:
            for part in range(pieces(path.stat().st_size)):
                piece = file.read(PIECE)
                digest.update(piece)
                sealed = self.vault.seal_bytes(piece, self._place(row, part))
                self.storage.put(_key(row, row.attempt, part), sealed)
        return digest.hexdigest()

    def read(self, row: ExportColumns) -> Iterator[bytes]:
        """The file again, piece by piece.

        Raises:
            ExportNotReady: it has been deleted meanwhile.
            StorageUnavailable
        """
        for part in range(pieces(row.size or 0)):
            sealed = self.storage.get(_key(row, row.attempt, part))
            if sealed is None:
                raise ExportNotReady
            yield self.vault.open_bytes(sealed, self._place(row, part))

    def delete(self, row: ExportColumns, *, through: int) -> None:
        """What attempts up to this one wrote; that there is nothing is fine.

        Raises:
            StorageUnavailable
        """
        for attempt in range(1, through + 1):
            for part in range(row.parts):
                self.storage.delete(_key(row, attempt, part))

    def _place(self, row: ExportColumns, part: int) -> str:
        """What a sealed piece is bound to: it opens in no other place and for nobody else."""
        return f"{self.service}/export/{row.id}/{row.requested_by}/{row.attempt}/{part}"


def pieces(size: int) -> int:
    """In how many objects a file lies."""
    return -(-size // PIECE)


def _key(row: ExportColumns, attempt: int, part: int) -> str:
    return f"export/{row.requested_at:%Y-%m}/{row.id}/{attempt}/{part}"
