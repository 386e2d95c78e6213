"""Versions of single records: ``ETag`` on the way out, ``If-Match`` on the way in.

The tag is strong, because ``If-Match`` compares strongly (RFC 9110 13.1.1); a weak one that a
proxy made of it is understood too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol, TypeVar

from flask import Response
from sqlalchemy.orm import Session

from servicekit.applications import Actor
from servicekit.errors import ChangedMeanwhile, Refusal
from servicekit.web.session import exchange

_TAG = re.compile(r'(?:W/)?"(\d{1,18})"')


class VersionNeeded(Refusal):
    """An edit says which version it was made from, or it might undo somebody else's."""

    code = "version-needed"
    default_message = "请先刷新页面，再提交修改"


class BadVersion(Refusal):
    """``If-Match`` holds something that is no version of ours."""

    code = "bad-version"
    default_message = "版本标识有误，请刷新页面后重试"


class Versioned(Protocol):
    """A record with a version column."""

    @property
    def version(self) -> int: ...


Record = TypeVar("Record", bound=Versioned)


def tag(record: Record) -> Record:
    """Answer with the record's version as ``ETag``; gives the record back."""
    exchange().version = record.version
    return record


def expected_version(*, required: bool = True) -> int | None:
    """The version the caller saw, from ``If-Match``; None for ``*`` or an optional one left out.

    Raises:
        VersionNeeded: 428, it is required and missing.
        BadVersion: 400, it is not one version of ours.
    """
    given = exchange().request.headers.get("If-Match")
    if given is None:
        if required:
            raise VersionNeeded
        return None
    if given.strip() == "*":
        return None
    match = _TAG.fullmatch(given.strip())
    if match is None:
        raise BadVersion
    return int(match[1])


def as_seen(find: Callable[..., object], db: Session, record_id: str, actor: Actor) -> None:
    """Go on only if a record is as the caller saw it, where they said so; ``find`` compares."""
    if (seen := expected_version(required=False)) is not None:
        find(db, record_id, actor, seen)


def check(record: Record, *, required: bool = True) -> Record:
    """Go on only if the caller saw the record as it is now; gives the record back.

    Raises:
        VersionNeeded: 428.
        ChangedMeanwhile: 412, somebody wrote it since.
    """
    seen = expected_version(required=required)
    if seen is not None and seen != record.version:
        raise ChangedMeanwhile
    return record


def tagged(response: Response, version: int | None) -> Response:
    """Put the version a view named onto its answer; for the dispatcher."""
    if version is not None and "ETag" not in response.headers:
        response.headers["ETag"] = f'"{version}"'
    return response
