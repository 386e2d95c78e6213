"""Secrets of a development suite: made once, one file each, readable by nobody else."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path


class SecretFolder:
    """A folder of secrets; what is asked for and not there is made."""

    def __init__(self, folder: Path) -> None:
        """Use the folder, making it when it is not there."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self.folder = folder

    def text(self, name: str, make: Callable[[], str]) -> str:
        """The secret called `name`; `make` is asked only the first time."""
        path = self.folder / name
        if not path.exists():
            self.write(name, make())
        return path.read_text()

    def write(self, name: str, value: str) -> Path:
        """Replace a secret in one step.

        Returns: its file.
        """
        path, new = self.folder / name, self.folder / f".{name}.{os.getpid()}"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(value)
        new.rename(path)
        return path

    def file(self, name: str, make: Callable[[], str]) -> Path:
        """The file of the secret called `name`, made when it is not there."""
        self.text(name, make)
        return self.folder / name


def password() -> str:
    """Words for a database role or a client: 192 random bits, safe in an address."""
    return secrets.token_urlsafe(24)


def key() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def key_ring() -> str:
    """A ring of one field key, as the vault reads it."""
    return f"k1:{key()}"
