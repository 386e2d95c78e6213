"""When do two accounts look like one person's, and who may put them in order?"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from servicekit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound

MOST_GROUPS: Final = 100


class By(StrEnum):
    """Why accounts are shown together."""

    DOCUMENT = "document"  # 同一证件, renewed permits included
    LIKENESS = "likeness"  # 姓名与出生日期相同，证件不同
    PHONE = "phone"  # 同一手机号码


class Way(StrEnum):
    """What becomes of the account that is given up."""

    CANCEL = "cancel"  # 注销其中一个
    MERGE = "merge"  # 合并: what was proved goes over to the one that stays


class Outcome(StrEnum):
    """How far a resolution is."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class ResolutionRefused(Invalid):
    """The two accounts cannot be put in order like this."""

    code = "resolution-refused"
    default_message = "两个账号不能这样处理"


class AlreadyProposed(Conflict):
    """Another admin is at it."""

    code = "resolution-under-way"
    default_message = "该账号已有待确认的处理方案"


class NotOpen(Conflict):
    """It was decided already."""

    code = "resolution-decided"
    default_message = "该处理方案已办结"


class FourEyes(Forbidden):
    """Whoever proposed does not confirm."""

    code = "same-admin"
    default_message = "须由另一名管理员确认"


class NoResolution(NotFound):
    """There is no such proposal."""

    code = "resolution-not-found"
    default_message = "未找到该处理方案"


def check_pair(
    way: Way, *, kept: Sequence[object], given_up: Sequence[object], same_account: bool
) -> None:
    """Only two different, living accounts that look alike are put in order.

    Args:
        kept, given_up: document, likeness and phone of each; None where there is none.

    Raises:
        ResolutionRefused: they are one, or have nothing in common; merging asks for more than
            a common phone, which families share.
    """
    alike = [a is not None and a == b for a, b in zip(kept, given_up, strict=True)]
    enough = alike if way is Way.CANCEL else alike[:2]
    if same_account or not any(enough):
        text = "请选择同一人的两个不同账号"
        raise ResolutionRefused(fields=[FieldError("/given_up_id", "not-duplicates", text)])


def check_decides(outcome: Outcome, *, proposed_by: str, admin_id: str) -> None:
    """May this admin decide it now?

    Raises:
        NotOpen, FourEyes.
    """
    if outcome is not Outcome.PROPOSED:
        raise NotOpen
    if proposed_by == admin_id:
        raise FourEyes
