"""Settings are declared once: name, type, default and one sentence.

The same declaration reads the environment, refuses nonsense at start-up, and writes
docs/settings.md and the ConfigMap. Nothing else in the suite reads the environment.
"""

from __future__ import annotations

import os
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

T = TypeVar("T")

# Kubernetes puts these beside ours when service links are on.
_SERVICE_LINK = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?")
_LOOPBACK = re.compile(r"(.+\.)?localhost|127\..*|0\.0\.0\.0|::1?|.*simulator.*", re.IGNORECASE)
_WEAK = re.compile(r"(?i).*(change.?me|password|secret|default|example|123456|admin|test)")
_RANDOM_LENGTH = 32  # characters; what is as long as a key may contain a word by chance
_SECRET_LENGTH = 16
_SECRET_VARIETY = 8  # different characters


class BadSettings(Exception):
    """The environment does not describe a runnable service; the text names every problem."""


def setting(
    help: str,  # noqa: A002 - it is the help
    *,
    default: Any = MISSING,
    secret: bool = False,
    choices: Sequence[str] = (),
    outside: bool = False,
) -> Any:
    """One setting; without a default it must be given.

    Args:
        help: one sentence for docs/settings.md.
        secret: kept out of the ConfigMap and the documents; ``NAME_FILE`` may name a file.
        choices: the only values allowed.
        outside: the address of another authority's or company's system, which in production
            is neither this machine nor a simulator.
    """
    metadata = {"help": help, "secret": secret, "choices": tuple(choices), "outside": outside}
    return field(default=default, kw_only=True, repr=not secret, metadata=metadata)


def load(cls: type[T], prefix: str, environ: Mapping[str, str] | None = None) -> T:
    """Read ``PREFIX_NAME`` variables into ``cls``.

    Raises:
        BadSettings: with every missing, malformed, unknown or forbidden setting at once.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, f, kind in _declared(cls, prefix):
        try:
            text = _text(name, f, environ)
            if text is not None:
                values[f.name] = _parse(kind, text, f.metadata["choices"])
            elif f.default is MISSING:
                problems.append(f"{name} is missing: {f.metadata['help']}")
        except (ValueError, OSError) as error:
            problems.append(f"{name}: {error}")
    problems += _unknown(cls, prefix, environ)
    if problems:
        raise BadSettings("\n".join(sorted(problems)))
    loaded = cls(**values)
    if getattr(loaded, "environment", None) == "production":
        problems = [p for p in _unfit(loaded, prefix) if p]
    if problems:
        raise BadSettings("\n".join(sorted(problems)))
    return loaded


def tell_libraries(name: str, value: str) -> None:
    """Set a variable that a library reads for itself, before it is imported."""
    os.environ[name] = value


def names(cls: type[Any], prefix: str) -> list[str]:
    """Every variable the settings are read from."""
    return [name for name, _, _ in _declared(cls, prefix)]


def secret_names(cls: type[Any], prefix: str) -> list[str]:
    """The variables that belong into a Secret."""
    return [name for name, f, _ in _declared(cls, prefix) if f.metadata["secret"]]


def outside_addresses(loaded: Any, prefix: str) -> dict[str, str]:
    """Every outside system's address, by its variable."""
    declared = ((name, f) for name, f, _ in _declared(type(loaded), prefix))
    return {name: getattr(loaded, f.name) for name, f in declared if f.metadata["outside"]}


def as_config_map(cls: type[Any], prefix: str) -> dict[str, str]:
    """The settings that are no secrets and have a default, as a ConfigMap's data."""
    return {
        name: _show(f.default)
        for name, f, _ in _declared(cls, prefix)
        if not f.metadata["secret"] and f.default is not MISSING and f.default is not None
    }


def as_markdown(cls: type[Any], prefix: str) -> str:
    """The settings table for the documentation."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, f, kind in _declared(cls, prefix):
        default = "required" if f.default is MISSING else f"`{_show(f.default)}`"
        if f.metadata["secret"]:
            default = "required, secret" if f.default is MISSING else "secret"
        choices = f.metadata["choices"] or (get_args(kind) if get_origin(kind) is Literal else ())
        one_of = f" One of {', '.join(f'`{c}`' for c in choices)}." if choices else ""
        rows.append(f"| `{name}` | {default} | {f.metadata['help']}{one_of} |")
    return "\n".join(rows)


@dataclass(frozen=True)
class ServiceSettings:
    """What every service is told; each service's own settings inherit from it."""

    database_url: str = setting("The service's own PostgreSQL database.", secret=True)
    bus_url: str = setting("The bus: amqp://… or local://<PostgreSQL address>.", secret=True)
    field_keys: str = setting(
        "Keys of the personal columns, newest first: k2:<base64 of 32 bytes>,k1:….", secret=True
    )
    index_key: str = setting("Key of the blind indexes, base64 of 32 bytes.", secret=True)
    history_key: str = setting(
        "Ed25519 seed that signs history checkpoints, base64 of 32 bytes.", secret=True
    )
    public_url: str = setting(
        "Where people reach the gateway; part of the token issuer.", default="http://127.0.0.1:8080"
    )
    environment: Literal["development", "production"] = setting(
        "production refuses simulators and weak secrets.", default="development"
    )
    identity_url: str = setting(
        "Where the service itself fetches keys and userinfo.", default="http://127.0.0.1:8101"
    )
    event_prefix: str = setting(
        "Reverse domain name before every event type.", default="cn.gov.gdhrss"
    )
    database_pool: int = setting("Database connections per process.", default=8)
    database_kept: int = setting(
        "Of these, how many stay open while nobody needs them; 0 for all.", default=0
    )
    cipher_suite: Literal["aes-256-gcm", "sm4-gcm"] = setting(
        "What seals personal columns; either opens what the other sealed.", default="aes-256-gcm"
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "The least important log line that is written.", default="info"
    )

    @property
    def issuer(self) -> str:
        """The ``iss`` of every access token."""
        return f"{self.public_url}/identity"

    @property
    def jwks_url(self) -> str:
        """Where the keys are that verify access tokens."""
        return f"{self.identity_url}/identity/jwks.json"


def _declared(cls: type[Any], prefix: str) -> Iterator[tuple[str, Field[Any], Any]]:
    hints = get_type_hints(cls)
    for f in fields(cls):
        yield f"{prefix}_{f.name}".upper(), f, hints[f.name]


def _text(name: str, f: Field[Any], environ: Mapping[str, str]) -> str | None:
    path = environ.get(f"{name}_FILE") if f.metadata["secret"] else None
    if path is None:
        return environ.get(name)
    if name in environ:
        raise ValueError(f"given twice, here and as {name}_FILE")
    return Path(path).read_text(encoding="utf-8").strip()


def _unknown(cls: type[Any], prefix: str, environ: Mapping[str, str]) -> list[str]:
    known = {*names(cls, prefix), *(f"{n}_FILE" for n in secret_names(cls, prefix))}
    start = f"{prefix}_".upper()
    return [
        f"{name} is not a setting"
        for name in environ
        if name.startswith(start)
        and name not in known
        and not _SERVICE_LINK.fullmatch(name.removeprefix(start))
    ]


def _parse(kind: Any, text: str, choices: tuple[str, ...]) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        inner = [a for a in arguments if a is not types.NoneType]
        return None if text == "" else _parse(inner[0], text, choices)
    if origin is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    choices = arguments if origin is Literal else choices
    if choices and text not in choices:
        raise ValueError(f"should be one of {', '.join(choices)}")
    if origin is Literal:
        return text
    if kind is not str:
        return _READERS[kind](text)
    if text == "":
        raise ValueError("is empty")
    return text


def _read_bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("should be true or false")
    return text.lower() == "true"


_READERS: Mapping[Any, Callable[[str], Any]] = {
    bool: _read_bool,
    int: int,
    float: float,
    timedelta: lambda text: timedelta(seconds=float(text)),
}


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)


def _unfit(loaded: Any, prefix: str) -> Iterator[str | None]:
    """What may stand in development but not where real people are."""
    for name, f, _ in _declared(type(loaded), prefix):
        value = getattr(loaded, f.name)
        if f.metadata["outside"] or f.name == "public_url":
            yield _unfit_address(name, value)
        if f.metadata["secret"] and value is not None:
            if f.default is not MISSING and value == f.default:
                yield f"{name} has its default, which is no secret"
            else:
                yield _unfit_secret(name, str(value))


def _unfit_address(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme != "https":
        return f"{name} is not https"
    if _LOOPBACK.fullmatch(parts.hostname or ""):
        return f"{name} is this machine or a simulator"
    return None


def _unfit_secret(name: str, value: str) -> str | None:
    if "://" in value:
        try:
            password = urlsplit(value.removeprefix("local://")).password
        except ValueError:
            return f"{name} is not an address"
        weak = password is not None and (len(password) < _SECRET_VARIETY or _WEAK.match(password))
    else:
        short = len(value) < _SECRET_LENGTH or len(set(value)) < _SECRET_VARIETY
        weak = short or (len(value) < _RANDOM_LENGTH and _WEAK.match(value))
    return f"{name} is too weak for production" if weak else None
