"""Where sealed files lie outside the database: a folder of this machine, or S3, by one setting.

An object is written whole or not at all, and read by its key alone. What lies here is sealed
(``servicekit.uploads``), so whoever runs the disk or the bucket reads nothing.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from servicekit import logs
from servicekit.errors import Unavailable
from servicekit.settings import setting

if TYPE_CHECKING:
    from obstore.store import LocalStore, MemoryStore, S3Store

log = logs.get_logger()

TIMEOUT: Final = timedelta(seconds=10)  # of one call to S3
RETRIES: Final = 2
RETRY_SECONDS: Final = 5

_KEY = re.compile(r"[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*")


class StorageUnavailable(Unavailable):
    """The disk or the bucket does not answer; nothing is lost, the same wish may succeed later."""

    code = "storage-unavailable"
    default_message = "文件暂时无法保存或读取，请稍后重试"


class BadAddress(ValueError):
    """``storage_url`` names neither a folder nor a bucket."""


@dataclass(frozen=True)
class StorageSettings:
    """Settings of a service that keeps files; mixed into its ``Settings``."""

    storage_url: str = setting(
        "Where files lie: file:///<folder>, or s3://<bucket>/<prefix>.",
        default="file:///var/lib/jiuye/uploads",
    )
    storage_endpoint: str | None = setting(
        "Address of an S3 that is not Amazon's, with its scheme.", default=None
    )
    storage_region: str = setting("Region of the bucket.", default="cn-guangzhou")
    storage_key_id: str | None = setting("Name of the S3 key.", default=None, secret=True)
    storage_key: str | None = setting("The S3 key.", default=None, secret=True)


class Storage:
    """Objects under one folder or one bucket's prefix.

    Nothing is opened before the first use: the library starts threads of its own, which a
    process that forks afterwards would lose.

    Args:
        url: ``file:///folder``, ``s3://bucket/prefix``, or ``memory:`` for a test.
        options: what S3 needs beside the address: ``endpoint``, ``region``, ``key_id``, ``key``.

    Raises:
        BadAddress: none of these.
    """

    def __init__(self, url: str, **options: str | None) -> None:
        self._parts = urlsplit(url)
        self._options = options
        self._lock = threading.Lock()
        self._opened: LocalStore | MemoryStore | S3Store | None = None
        wanted = {"file": self._parts.path, "s3": self._parts.netloc, "memory": "here"}
        if not wanted.get(self._parts.scheme):
            raise BadAddress(f"storage_url is file:///… or s3://…, not {self._parts.scheme}:")

    @classmethod
    def of(cls, settings: StorageSettings) -> Storage:
        """The storage an installation's settings name."""
        return cls(
            settings.storage_url,
            endpoint=settings.storage_endpoint,
            region=settings.storage_region,
            key_id=settings.storage_key_id,
            key=settings.storage_key,
        )

    def put(self, key: str, content: bytes) -> None:
        """Write an object whole, over one of that key if there is one.

        Raises:
            StorageUnavailable
        """
        import obstore

        self._do("put", lambda store: obstore.put(store, _checked(key), content))

    def get(self, key: str) -> bytes | None:
        """Read an object whole; None when there is none.

        Raises:
            StorageUnavailable
        """
        import obstore

        def read(store: Any) -> bytes | None:
            try:
                return bytes(obstore.get(store, _checked(key)).bytes())
            except FileNotFoundError:
                return None

        found: bytes | None = self._do("get", read)
        return found

    def delete(self, key: str) -> None:
        """Remove an object; that there is none is fine.

        Raises:
            StorageUnavailable
        """
        import obstore

        def remove(store: Any) -> None:
            try:
                obstore.delete(store, _checked(key))
            except FileNotFoundError:
                return  # the job that deletes may be repeated

        self._do("delete", remove)

    def keys(self, prefix: str = "") -> list[str]:
        """Every key under a prefix; for tests and for looking after an accident."""
        import obstore

        def read(store: Any) -> list[str]:
            chunks = obstore.list(store, prefix or None)
            return sorted(str(each["path"]) for chunk in chunks for each in chunk)

        found: list[str] = self._do("list", read)
        return found

    def _do(self, verb: str, call: Any) -> Any:
        from obstore.exceptions import BaseError

        try:
            return call(self._store())
        except (BaseError, OSError) as error:
            # Not the error's text: it holds the address.
            log.error("storage failed", verb=verb, error=type(error).__name__)
            raise StorageUnavailable(retry_after=RETRY_SECONDS) from None

    def _store(self) -> LocalStore | MemoryStore | S3Store:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> LocalStore | MemoryStore | S3Store:
        from obstore.store import LocalStore, MemoryStore, S3Store

        if self._parts.scheme == "memory":
            return MemoryStore()
        if self._parts.scheme == "file":
            os.makedirs(self._parts.path, mode=0o700, exist_ok=True)  # noqa: PTH103
            return LocalStore(self._parts.path)
        endpoint = self._options.get("endpoint")
        config = {
            "region": self._options.get("region"),
            "endpoint": endpoint,
            "access_key_id": self._options.get("key_id"),
            "secret_access_key": self._options.get("key"),
            # Buckets of other makers are named in the path, those of Amazon in the host.
            "virtual_hosted_style_request": None if endpoint else "true",
        }
        return S3Store(
            self._parts.netloc,
            prefix=self._parts.path.strip("/") or None,
            config=cast("Any", {k: value for k, value in config.items() if value is not None}),
            client_options={
                "timeout": TIMEOUT,
                "connect_timeout": TIMEOUT,
                "allow_http": (endpoint or "").startswith("http://"),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": TIMEOUT},
        )


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("a key is lower-case words between slashes")
    return key
