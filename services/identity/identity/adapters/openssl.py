"""Signatures and chains checked by the `openssl` program, SM2 with SM3 among them.

The cryptography package knows no SM2. Each call runs a few milliseconds in a folder of its own,
with a time limit and without a shell; nothing in it comes from outside but the files' content.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from servicekit import logs
from servicekit.errors import OutsideFailed

log = logs.get_logger()

SECONDS: Final = 5.0
OLDEST: Final = 3
PROGRAM: Final = "openssl"
SM2_ID: Final = "distid:1234567812345678"  # GM/T 0009: the default user id
_SM2_KEY: Final = re.compile(r"(ASN1 OID: SM2|SM2)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Workshop:
    """A folder with the files of one check."""

    folder: Path

    def file(self, name: str, content: bytes) -> str:
        """Write a file; its path."""
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def run(self, *arguments: str) -> tuple[bool, bytes]:
        """Run the program.

        Returns: did it say yes, and what it printed.

        Raises:
            OutsideFailed: it is not there, or takes too long.
        """
        try:
            done = subprocess.run(  # noqa: S603 - no shell; our own arguments
                [PROGRAM, *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
                env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            log.error("openssl did not answer", error=type(error).__name__)
            raise OutsideFailed from error
        return done.returncode == 0, done.stdout

    def public_key(self, certificate: str) -> str | None:
        """The certificate's key as a file."""
        good, key = self.run("x509", "-in", certificate, "-noout", "-pubkey")
        return self.file(f"{Path(certificate).stem}.key", key) if good else None

    def is_sm2(self, key: str) -> bool:
        """Is this an SM2 key?"""
        good, text = self.run("pkey", "-pubin", "-in", key, "-noout", "-text_pub")
        return good and _SM2_KEY.search(text.decode("utf-8", "replace")) is not None

    def verifies(self, key: str, message: bytes, signature: bytes) -> bool:
        """Did the key sign the message: SM2 with SM3, everything else with SHA-256?"""
        kind = ("sm3", "-pkeyopt", SM2_ID) if self.is_sm2(key) else ("sha256",)
        name = Path(key).stem
        good, _ = self.run(
            "pkeyutl", "-verify", "-rawin", "-digest", *kind, "-pubin", "-inkey", key,
            "-in", self.file(f"{name}.message", message),
            "-sigfile", self.file(f"{name}.signature", signature),
        )  # fmt: skip
        return good

    def chains(self, leaf: str, between: Sequence[str], roots: bytes, *, now: datetime) -> bool:
        """Do the certificates lead to one of the roots, every one of them valid now?

        For RSA and the curves OpenSSL checks whole; SM2 chains are checked link by link.
        """
        untrusted = [part for path in between for part in ("-untrusted", path)]
        trusted = self.file("roots.pem", roots)
        good, _ = self.run("verify", "-CAfile", trusted, *untrusted, *_STRICT, *_at(now), leaf)
        return good

    def links(self, child: str, issuer: str, *, now: datetime) -> bool:
        """Did this issuer, itself valid now and a CA, issue this certificate, with SM2?

        OpenSSL 3.0 sets the user id of SM2 on the certificate it is asked about alone, so a chain
        of several is several questions.
        """
        option = ("-vfyopt", SM2_ID, "-partial_chain")
        good, _ = self.run("verify", "-CAfile", issuer, *option, *_STRICT, *_at(now), child)
        return good


_STRICT: Final = ("-no-CApath", "-no-CAstore", "-x509_strict", "-purpose", "any")


def _at(now: datetime) -> tuple[str, str]:
    return "-attime", str(int(now.timestamp()))


def is_there() -> bool:
    """Is the program there, 3.0 or newer? Older ones do not sign and verify SM2 as asked here."""
    try:
        with workshop() as work:
            good, said = work.run("version")
    except OutsideFailed:
        return False
    found = re.match(rb"OpenSSL (\d+)\.", said)
    return good and found is not None and int(found[1]) >= OLDEST


@contextmanager
def workshop() -> Iterator[Workshop]:
    """A folder that goes when the check is done."""
    with tempfile.TemporaryDirectory(prefix="certificate-") as folder:
        yield Workshop(Path(folder))
