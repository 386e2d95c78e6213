"""What an officer asks for, and how the filters of a list are kept until the file is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from servicekit import regions
from servicekit.claims import Due
from servicekit.filing import Order
from servicekit.queues import SOON, Holder
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


_WORDS: Final[Mapping[Any, str]] = {
    True: "是",
    Holder.ME: "本人",
    Holder.OTHERS: "其他经办人员",
    Holder.NOBODY: "未认领",
    Order.DUE: "到期先后",
    Order.NEWEST: "最新在前",
    Order.OLDEST: "最早在前",
    Due.OVERDUE: "已超期",
    Due.RED: "红",
    Due.YELLOW: "黄",
    Due.GREEN: "绿",
    SOON: "即将到期",
}


def place(code: str) -> str:
    """A region by its code and its name."""
    known = regions.find(code)
    return code if known is None else f"{code} {regions.full_name(known.code)}"


def _said(filters: TeamFilters, name: str) -> str:
    value = getattr(filters, name)
    if isinstance(value, State):
        return value.label
    return place(value) if name == "region" else _WORDS.get(value, str(value))
