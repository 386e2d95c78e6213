"""When may a form open? The conditions that service guide, check and form share (ER-10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from employment_registry.certificate import rules
from employment_registry.conditions import Condition, OpenOne


@dataclass(frozen=True, slots=True)
class Situation:
    """What the conditions look at; an open application is found by the database too."""

    has_certificate: bool
    is_registered: bool
    open_application: OpenOne | None = None


def _check_none_open(person: Situation) -> None:
    if person.open_application is not None:
        raise person.open_application.refuse(rules.OpenApplication)


def _of(
    kind: rules.Kind, *, certificate: bool | None = None, registered: bool | None = None
) -> Callable[[Situation], None]:
    """``check_kind`` about one thing alone; the other is taken as it should be."""

    def check(person: Situation) -> None:
        has = person.has_certificate if certificate is None else certificate
        is_registered = person.is_registered if registered is None else registered
        rules.check_kind(kind, has_certificate=has, is_registered=is_registered)

    return check


_NONE_OPEN: Final = Condition(
    "no-open-application",
    "没有尚未办结的就业创业证申请。",
    _check_none_open,
    "请在申请列表中继续办理、撤回或删除原申请。",
)
CONDITIONS: Final[dict[rules.Kind, tuple[Condition[Situation], ...]]] = {
    rules.Kind.FIRST: (
        Condition(
            "not-certified",
            "尚未领取就业创业证。",
            _of(rules.Kind.FIRST, registered=True),
            "证件遗失、损毁、记录页满或信息变更的，请办理补换。",
        ),
        Condition(
            "registered",
            "已办理就业登记或失业登记。",
            _of(rules.Kind.FIRST, certificate=False),
            "请先办理灵活就业登记或失业登记。",
        ),
        _NONE_OPEN,
    ),
    rules.Kind.REPLACEMENT: (
        Condition(
            "certified",
            "已领取就业创业证，且证件有效。",
            _of(rules.Kind.REPLACEMENT),
            "请先办理就业创业证申领。",
        ),
        _NONE_OPEN,
    ),
}
GUIDES: Final = {
    rules.Kind.FIRST: "certificate",
    rules.Kind.REPLACEMENT: "certificate-replacement",
}
