"""What a location answers with and what it asks for, as the configuration says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Files:
    """Files of a folder that a location serves.

    Args:
        folder: where they are.
        strip: what of the path is not in the folder (alias); empty is root.
        index: what stands for a folder.
        tries: try_files but for the last, each a path with $uri; empty is "$uri" alone.
        otherwise: the last of try_files: a path within the folder, or None for ``status``.
        status: the answer when nothing is found.
        precompressed: file.br and file.gz stand for file (gzip_static).
        expires: seconds for Cache-Control; less than 0 is no-cache, None says nothing.
        default_type: of unknown endings.
    """

    folder: Path
    strip: str
    index: tuple[str, ...]
    tries: tuple[str, ...]
    otherwise: str | None
    status: int
    precompressed: bool
    expires: int | None
    default_type: str


@dataclass(frozen=True, slots=True)
class CacheZone:
    """A memory for public answers, one in each worker.

    Args:
        size: bytes of answers and keys.
        inactive: seconds after which what nobody asked for is forgotten.
    """

    name: str
    size: int
    inactive: float


@dataclass(frozen=True, slots=True)
class Caching:
    """The use of a cache zone.

    Args:
        valid: seconds by status for answers that do not say themselves.
        longest: bytes of a body that is kept.
    """

    zone: CacheZone
    valid: Mapping[int, float]
    longest: int


@dataclass(frozen=True, slots=True)
class Cors:
    """Which other sites' pages may read the answers (Fetch standard)."""

    origins: frozenset[str]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age: int


@dataclass(frozen=True, slots=True)
class Demand:
    """What a token must be for and how well its owner is known.

    Args:
        audiences: one of these.
        levels: the least on each scale; a scale that is not named is not admitted. Empty is any.
        kinds: sub_type is one of these; empty is any.
    """

    audiences: tuple[str, ...]
    levels: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Compression:
    """Which answers are compressed on their way out."""

    gzip: bool
    brotli: bool
    types: frozenset[str]
    least: int


@dataclass(frozen=True, slots=True)
class OpenApi:
    """The suite's API description: ``document`` or ``page``, made of these upstreams'."""

    form: str
    upstreams: tuple[str, ...]
