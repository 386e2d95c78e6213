"""How long an export is kept, how much it may hold, whom it is for, and what a cell may say.

Pure; the table stands in ``table``, what is done in ``building``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from servicekit.errors import Conflict, NotFound
from servicekit.teamwork.rules import KnownOfficer
from servicekit.workflow import Role

KEPT: Final = timedelta(days=3)  # then the file is deleted; the row stays as the log
LEASE: Final = timedelta(minutes=5)  # of a worker that says nothing; then another begins anew
MOST_ATTEMPTS: Final = 3
MOST_ROWS: Final = 200_000  # a county of a year; who needs more narrows the list, or asks twice
PURPOSE: Final = (5, 200)  # letters: "统计" alone says nothing to who reads the log
# What spreadsheet programs take for the beginning of a formula, and their wide forms (CWE-1236);
# XlsxWriter takes the last for text that is XML already.
_DANGEROUS: Final = (*"=+-@＝＋－＠|%\t\r\n", "<r>")


class ExportState(StrEnum):
    """How far an export is."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"

    @property
    def label(self) -> str:
        """The word people read."""
        return _LABELS[self]


_LABELS: Final = {
    ExportState.WAITING: "排队中",
    ExportState.RUNNING: "生成中",
    ExportState.READY: "可下载",
    ExportState.FAILED: "未生成",
    ExportState.EXPIRED: "已过期",
}
OPEN: Final = (ExportState.WAITING, ExportState.RUNNING)


class Failure(StrEnum):
    """Why there is no file."""

    WITHDRAWN = "officer-withdrawn"
    TOO_MANY = "too-many-rows"
    BROKEN = "build-failed"

    @property
    def label(self) -> str:
        """The sentence people read."""
        return _FAILURES[self]


_FAILURES: Final = {
    Failure.WITHDRAWN: "您已不再负责该地区的此项业务，不能导出。",
    Failure.TOO_MANY: f"超过{MOST_ROWS}行，请缩小查询范围后再导出。",
    Failure.BROKEN: "多次尝试未能生成，请稍后重新导出；如仍失败请联系系统管理员。",
}


class ExportUnderWay(Conflict):
    """AL-06: one at a time for every officer."""

    code = "export-under-way"
    default_message = "您有一个导出正在排队或生成，请待其完成后再导出。"


class ExportNotReady(Conflict):
    """There is no file yet, or not any more."""

    code = "export-not-ready"
    default_message = "该导出尚未生成、未能生成或已过期，不能下载。"


class ExportNotFound(NotFound):
    """There is none, or it is another officer's, or the officer's duties were withdrawn."""

    code = "export-not-found"
    default_message = "未找到该导出。"


def region_now(requested: str, officer: KnownOfficer | None, business: str) -> str | None:
    """The region an export may hold on the day it is made: the smaller of then and now.

    Args:
        requested: the officer's region when they asked.
        officer: as identity announced them last; None is nobody's word for it.

    Returns: None when the officer has left, or does that business or that region no more.
    """
    if officer is None or not officer.is_active or Role.REVIEWER not in officer.roles:
        return None
    if business not in officer.businesses or not officer.region:
        return None
    if requested.startswith(officer.region):
        return requested
    return officer.region if officer.region.startswith(requested) else None


def check_ready(state: ExportState, expires_at: datetime | None, now: datetime) -> None:
    """Only a file that is there is handed out, also when nobody has deleted it yet.

    Raises:
        ExportNotReady
    """
    if state is not ExportState.READY or expires_at is None or expires_at <= now:
        raise ExportNotReady


def swept(state: ExportState) -> ExportState:
    """What an export is whose file is deleted."""
    return ExportState.EXPIRED if state is ExportState.READY else state


def defused(text: str) -> str:
    """A text that no spreadsheet program takes for a formula, nor a CSV made of it."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text
