"""The life of an application: which moves exist, from which states, by whom.

A workflow is a table. Services write their own table from the words below and
never compare states by hand. Nothing here knows about HTTP, tables or queues.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from servicekit.errors import Conflict, Forbidden

S = TypeVar("S", bound=StrEnum)


class State(StrEnum):
    """Where an application stands."""

    DRAFT = "draft"  # 暂存
    CHECKING = "checking"  # 核验中, until outside systems have answered (ER-09)
    SUBMITTED = "submitted"  # 待审核
    ACCEPTED = "accepted"  # 已受理
    APPROVED = "approved"  # 审核通过
    RETURNED = "returned"  # 退回补正
    REJECTED = "rejected"  # 审核不通过
    WITHDRAWN = "withdrawn"  # 已撤回
    CANCELLED = "cancelled"  # 无效

    @property
    def label(self) -> str:
        """The word people read on the screen."""
        return _LABELS[self]


_LABELS = {
    State.DRAFT: "暂存",
    State.CHECKING: "核验中",
    State.SUBMITTED: "待审核",
    State.ACCEPTED: "已受理",
    State.APPROVED: "审核通过",
    State.RETURNED: "退回补正",
    State.REJECTED: "审核不通过",
    State.WITHDRAWN: "已撤回",
    State.CANCELLED: "无效",
}


class Role(StrEnum):
    """Who makes a move."""

    APPLICANT = "applicant"  # 申请人, in person or through an agent
    WINDOW = "window"  # 窗口人员
    REVIEWER = "reviewer"  # 审核人员
    APPROVER = "approver"  # 审批人员
    ADMIN = "admin"  # 账号管理员
    SYSTEM = "system"  # the clock and other services


@dataclass(frozen=True, slots=True)
class Move(Generic[S]):
    """One allowed step: ``name`` takes any of ``sources`` to ``target``."""

    name: str
    sources: frozenset[S]
    target: S
    by: Role


class WrongState(Conflict):
    """The move exists, but not from the state the application is in."""

    code = "wrong-state"


class WrongRole(Forbidden):
    """The move exists from this state, but this role may not make it."""

    code = "wrong-role"


def move(name: str, sources: S | Iterable[S], target: S, by: Role) -> Move[S]:
    """Write one row of a workflow table; ``name`` is a bare verb, kebab-case."""
    from_states: set[S] = {sources} if isinstance(sources, StrEnum) else set(sources)
    return Move(name, frozenset(from_states), target, by)


class Workflow(Generic[S]):
    """A named table of moves, checked when it is built.

    Args:
        name: ``<service>.<matter>``, the first two parts of its events' types.
        start: the state a new application is in.
        moves: the rows; ``ValueError`` for an unreachable state or a row written twice.
    """

    def __init__(self, name: str, start: S, *moves: Move[S]) -> None:
        self.name = name
        self.start = start
        self.moves = moves
        self._open: dict[tuple[S, Role], list[str]] = {}
        self._check()

    @property
    def states(self) -> set[S]:
        """Every state the table mentions."""
        return {self.start}.union(*(m.sources | {m.target} for m in self.moves))

    def open_moves(self, state: S, role: Role) -> list[str]:
        """The moves this role can make now; the portal draws its buttons from these."""
        found = self._open.get((state, role))
        if found is None:
            found = [m.name for m in self.moves if state in m.sources and m.by is role]
            self._open[state, role] = found  # lists ask once per line
        return list(found)

    def next_state(self, name: str, state: S, role: Role) -> S:
        """Where ``name`` leads from ``state``.

        Raises:
            WrongState: the table has no such move from here.
            WrongRole: it has one, for somebody else.
        """
        found = [m for m in self.moves if m.name == name and state in m.sources]
        if not found:
            label = getattr(state, "label", str(state))
            raise WrongState(
                f"当前状态为“{label}”，不能办理此操作，请刷新后查看",
                extra={"state": str(state), "move": name},
            )
        allowed = [m for m in found if m.by is role]
        if not allowed:
            raise WrongRole(extra={"state": str(state), "move": name})
        return allowed[0].target

    def as_mermaid(self) -> str:
        """The table as a diagram, for the generated documentation."""
        rows = [f"    [*] --> {self.start}"]
        for m in self.moves:
            rows += [f"    {s} --> {m.target}: {m.name} ({m.by})" for s in sorted(m.sources)]
        return "stateDiagram-v2\n" + "\n".join(rows)

    def _check(self) -> None:
        reached, frontier = {self.start}, [self.start]
        while frontier:
            state = frontier.pop()
            for m in self.moves:
                if state in m.sources and m.target not in reached:
                    reached.add(m.target)
                    frontier.append(m.target)
        if lost := self.states - reached:
            raise ValueError(f"{self.name}: no move leads to {sorted(lost)}")
        seen: set[tuple[str, S, Role]] = set()
        for m in self.moves:
            for key in ((m.name, s, m.by) for s in m.sources):
                if key in seen:
                    raise ValueError(f"{self.name}: {key} is written twice")
                seen.add(key)
