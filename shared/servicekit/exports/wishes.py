"""What an officer asks for, and how the filters of a list are kept until the file is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from servicekit.queues import Holder, Order
from servicekit.teamwork.reviews import TeamFilters
from servicekit.workflow import State


@dataclass(frozen=True, slots=True)
class Wish:
    """What an officer asks for.

    Args:
        purpose: what the file is needed for, in the officer's words.
        filters: as the list is narrowed and ordered on the screen.
    """

    purpose: str
    filters: TeamFilters


def written(filters: TeamFilters) -> dict[str, Any]:
    """Filters as JSON, without those that do not narrow."""
    values = asdict(filters)
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
        if value not in (None, False)
    }


def read(values: Mapping[str, Any]) -> TeamFilters:
    """The same, back again."""
    return TeamFilters(**{n: _READ[n](v) if n in _READ else v for n, v in values.items()})


def described(filters: TeamFilters) -> str:
    """The same in words, for who reads the file."""
    values = written(filters)
    return "；".join(f"{_NAMES[name]}：{_said(filters, name)}" for name in values)


_READ: Final[Mapping[str, Any]] = {
    "state": State,
    "submitted_from": date.fromisoformat,
    "submitted_to": date.fromisoformat,
    "held_by": Holder,
    "order": Order,
}
_NAMES: Final = {
    "number": "受理编号",
    "state": "审核结果",
    "applicant_id": "申请人账号",
    "submitted_from": "申请日期起",
    "submitted_to": "申请日期止",
    "region": "行政区划",
    "due": "到期颜色",
    "held_by": "认领",
    "officer_id": "认领人",
    "order": "排序",
    "asked": "待我答复",
    "assigned": "转办给我",
    "urged": "被催办",
}


def _said(filters: TeamFilters, name: str) -> str:
    value = getattr(filters, name)
    if isinstance(value, State):
        return value.label
    return "是" if value is True else str(value)
