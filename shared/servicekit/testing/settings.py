"""Settings that build a service without an installation: made-up keys, addresses of nothing."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from servicekit import settings

T = TypeVar("T", bound=settings.ServiceSettings)

_KEY = b64encode(b"a key for tests and contracts only"[:32]).decode()
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def sample_settings(cls: type[T], prefix: str, **values: Any) -> T:
    """The class with its defaults, made-up secrets, and what is given; nothing is connected to.

    Args:
        prefix: of the variables, ``IDENTITY``.
        values: as a person would write them into the environment.
    """
    needed = {f"{prefix}_{f.name}".upper() for f in fields(cls) if f.default is MISSING}
    environ = {name: _made_up(name) for name in needed | set(settings.secret_names(cls, prefix))}
    environ |= {f"{prefix}_{name}".upper(): str(value) for name, value in values.items()}
    return settings.load(cls, prefix, environ)


def _made_up(variable: str) -> str:
    if variable.endswith(("_DATABASE_URL", "_BUS_URL")):
        return f"local://{NOWHERE}" if variable.endswith("_BUS_URL") else NOWHERE
    if variable.endswith("_URL"):
        return "http://127.0.0.1:1"
    return f"k1:{_KEY}" if variable.endswith("_KEYS") else _KEY
