"""Preconditions and ranges of RFC 9110, for anything with an entity tag and a length."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Final

from frontdoor.fields import Fields

_TAG: Final = re.compile(rb'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_RANGE: Final = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})")
PROCEED, NOT_MODIFIED, FAILED = 200, 304, 412


def judge(fields: Fields, etag: bytes, modified: int | None) -> int:
    """What the preconditions of a GET or HEAD say (13.2.2): 200, 304 or 412.

    Args:
        fields: the request's.
        etag: the representation's, strong or weak.
        modified: seconds since 1970.
    """
    wanted = fields.value(b"if-match")
    if wanted is not None:
        if not _matches(wanted, etag, weak=False):
            return FAILED
    elif modified is not None:
        before = _date(fields.value(b"if-unmodified-since"))
        if before is not None and modified > before:
            return FAILED
    known = fields.value(b"if-none-match")
    if known is not None:
        return NOT_MODIFIED if _matches(known, etag, weak=True) else PROCEED
    since = _date(fields.value(b"if-modified-since"))
    if since is not None and modified is not None and modified <= since:
        return NOT_MODIFIED
    return PROCEED


def _matches(field: bytes, etag: bytes, *, weak: bool) -> bool:
    if field == b"*":
        return True
    own_weak, own = etag.startswith(b"W/"), etag.removeprefix(b"W/")
    for found in _TAG.finditer(field):
        if found[2] == own and (weak or not (found[1] or own_weak)):
            return True
    return False


def _date(value: bytes | None) -> float | None:
    if value is None:
        return None
    try:
        return parsedate_to_datetime(value.decode("ascii")).timestamp()
    except (ValueError, TypeError):
        return None


class Unsatisfiable(Exception):
    """The range lies outside (416)."""


def part(fields: Fields, size: int, etag: bytes, modified: int | None) -> tuple[int, int] | None:
    """First and last byte of the one range asked for; None is all of it.

    Several ranges at once are answered with all of it, as 14.2 allows.

    Raises:
        Unsatisfiable: there are no such bytes.
    """
    wanted = fields.value(b"range")
    if wanted is None or not _still_the_same(fields.value(b"if-range"), etag, modified):
        return None
    found = _RANGE.fullmatch(wanted)
    if found is None or found[0] == b"bytes=-":
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable
        return size - length, size - 1
    start, end = int(first), int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return start, min(end, size - 1)


def _still_the_same(field: bytes | None, etag: bytes, modified: int | None) -> bool:
    if field is None:
        return True
    if b'"' in field:
        return field == etag and not etag.startswith(b"W/")
    return modified is not None and _date(field) == modified


def accepts(field: bytes | None, coding: bytes) -> bool:
    """Does Accept-Encoding take a coding?"""
    if field is None:
        return False
    wildcard = False
    for choice in field.lower().split(b","):
        name, _, parameters = choice.partition(b";")
        name, weight = name.strip(), parameters.replace(b" ", b"")
        taken = not re.fullmatch(rb"q=0(?:\.0*)?", weight)
        if name == coding:
            return taken
        if name == b"*":
            wildcard = taken
    return wildcard
