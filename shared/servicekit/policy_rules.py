"""How far a policy is, what its kinds read, and when it may come into force or be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from servicekit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from servicekit.workflow import Role, Workflow, move


class Status(StrEnum):
    """How far a policy is; whether an active one has begun is told by its first day."""

    DRAFT = "draft"  # 拟定
    ACTIVE = "active"  # 已启用
    WITHDRAWN = "withdrawn"  # 已撤销


class PolicyNotFound(NotFound):
    """There is no such policy."""

    code = "policy-not-found"
    default_message = "未找到该政策"


class PolicyInThePast(Invalid):
    """What has been decided was decided by what held then."""

    code = "policy-in-the-past"
    default_message = "生效日期不能早于今天，请另选日期后重新拟定"


class SameFirstDay(Conflict):
    """Of two policies of one kind that begin on one day nobody could say which holds."""

    code = "policy-begins-same-day"
    default_message = "同类政策在该日已有一项生效，请另选生效日期"


class SameAdmin(Forbidden):
    """Whoever drafted a policy does not activate it."""

    code = "same-admin"
    default_message = "政策须由另一名管理员启用"


class PolicyInForce(Conflict):
    """It has begun: only a later one ends it."""

    code = "policy-in-force"
    default_message = "该政策已生效，不能撤销；如需调整请拟定新的政策"


class Kind(Protocol):
    """One kind of policy: its values, read from the row."""

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Any:
        """The policy a row says; the value was checked when it was drafted."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What an admin wants to hold from a day on."""

    kind: str
    value: Mapping[str, Any]
    in_force_from: date
    source: str


def workflow(name: str) -> Workflow[Status]:
    """The moves of a policy; being drafted is its beginning."""
    return Workflow(
        name,
        Status.DRAFT,
        move("activate", Status.DRAFT, Status.ACTIVE, Role.ADMIN),
        move("withdraw", (Status.DRAFT, Status.ACTIVE), Status.WITHDRAWN, Role.ADMIN),
    )


def check_first_day(first_day: date, today: date) -> None:
    """A policy begins today or later, for the past was decided by what held then.

    Raises:
        PolicyInThePast
    """
    if first_day >= today:
        return
    text = PolicyInThePast.default_message
    raise PolicyInThePast(fields=[FieldError("/in_force_from", "in-the-past", text)])
