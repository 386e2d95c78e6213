"""Policies as data: what holds on a day, and how a change comes into force by four eyes (AL-11).

A kind of policy is a frozen dataclass that reads itself from JSON. A service mixes
``PolicyColumns`` into a table, declares its ``Policies`` and hands its rules what holds on their
day. A row is never rewritten: a change is another row with a later first day, drafted by one
admin and activated by another, and what has begun stays as it was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import CheckConstraint, Date, DateTime, Index, String, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from servicekit.applications import Actor, record
from servicekit.clock import shanghai_date
from servicekit.columns import NOT_PERSONAL, new_id, words
from servicekit.db import forget, kept
from servicekit.policy_rules import (
    Draft,
    Kind,
    PolicyInForce,
    PolicyNotFound,
    SameAdmin,
    SameFirstDay,
    Status,
    check_first_day,
    workflow,
)
from servicekit.uniqueness import refusing_a_second

KEPT_SECONDS: Final = 2.0  # how late another process may notice a policy that begins at once
_TIME = DateTime(timezone=True)
_ACTIVATED, _WITHDRAWN = (
    f"(({name} AT TIME ZONE 'Asia/Shanghai')::date)" for name in ("activated_at", "withdrawn_at")
)
# What the database itself keeps; migrations write it down again.
_RULES: Final = {
    "four_eyes": "activated_by IS DISTINCT FROM drafted_by",
    "activated": "status <> 'active' OR activated_by IS NOT NULL",
    "not_in_the_past": f"activated_at IS NULL OR {_ACTIVATED} <= in_force_from",
    "not_taken_back": "withdrawn_at IS NULL OR activated_by IS NULL "
    f"OR {_WITHDRAWN} < in_force_from",
}


class PolicyColumns:
    """One policy from its first day on, until the next of its kind begins."""

    __tablename__: str

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    kind: Mapped[str] = mapped_column(String(40), info=NOT_PERSONAL)
    value: Mapped[dict[str, Any]] = mapped_column(JSONB, info=NOT_PERSONAL)
    in_force_from: Mapped[date] = mapped_column(Date, info=NOT_PERSONAL)
    source: Mapped[str] = mapped_column(Text, info=NOT_PERSONAL)  # the law or document behind it
    status: Mapped[Status] = mapped_column(words(Status), info=NOT_PERSONAL)
    drafted_by: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    drafted_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    activated_by: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    activated_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    withdrawn_by: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    withdrawn_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        name, active = cls.__tablename__, text("status = 'active'")
        rules = (CheckConstraint(rule, name=f"{name}_{short}") for short, rule in _RULES.items())
        begins = Index(
            f"{name}_first_day", "kind", "in_force_from", unique=True, postgresql_where=active
        )
        return (begins, *rules)


P = TypeVar("P", bound=PolicyColumns)
K = TypeVar("K", bound=Kind)


@dataclass(frozen=True, kw_only=True)
class Policies(Generic[P]):
    """The policies of one service.

    Args:
        name: ``<service>.policies``, under which the history keeps what happened to each.
        model: the table.
        kinds: every kind by its name in the table.
        changed: tells others; called when a policy was drafted, activated or withdrawn.
    """

    name: str
    model: type[P]
    kinds: Mapping[str, type[Kind]]
    changed: Callable[[Session, P, datetime], None] = lambda db, policy, now: None

    def in_force(self, db: Session, kind: type[K], day: date) -> K:
        """What holds on a day in China.

        Raises:
            LookupError: nothing of this kind is so old.
        """
        known = kept(db, self.name, self._read, seconds=KEPT_SECONDS)[kind]
        place = bisect_right(known, day, key=lambda each: each[0])
        if not place:
            raise LookupError(f"no {kind.__name__} was in force on that day")
        found: K = known[place - 1][1]
        return found

    def draft(self, db: Session, wanted: Draft, *, actor: Actor, now: datetime) -> P:
        """Write down what another admin is to activate; it is not edited afterwards.

        Raises:
            PolicyInThePast, SameFirstDay
        """
        check_first_day(wanted.in_force_from, shanghai_date(now))
        same = (self.model.kind == wanted.kind, self.model.in_force_from == wanted.in_force_from)
        active = self.model.status == Status.ACTIVE
        if db.scalar(select(self.model.id).where(*same, active)) is not None:
            raise SameFirstDay
        policy = self.model()
        policy.kind, policy.value, policy.source = wanted.kind, dict(wanted.value), wanted.source
        policy.in_force_from, policy.status = wanted.in_force_from, Status.DRAFT
        policy.drafted_by, policy.drafted_at = actor.id, now
        db.add(policy)
        self._record(db, policy, "draft", Status.DRAFT, actor=actor, now=now, note=wanted.source)
        return policy

    def activate(self, db: Session, policy: P, *, actor: Actor, now: datetime) -> None:
        """Let a draft hold from its first day on.

        Args:
            policy: held.

        Raises:
            WrongState, SameAdmin, PolicyInThePast
            SameFirstDay: another one of its kind was faster.
        """
        before = policy.status
        after = workflow(self.name).next_state("activate", before, actor.role)
        if policy.drafted_by == actor.id:
            raise SameAdmin
        check_first_day(policy.in_force_from, shanghai_date(now))
        policy.status, policy.activated_by, policy.activated_at = after, actor.id, now
        with refusing_a_second(db, SameFirstDay):
            db.flush()
        self._record(db, policy, "activate", before, actor=actor, now=now)

    def withdraw(
        self, db: Session, policy: P, *, actor: Actor, now: datetime, note: str | None = None
    ) -> None:
        """Take back what does not hold yet.

        Args:
            policy: held.

        Raises:
            WrongState, PolicyInForce
        """
        before = policy.status
        after = workflow(self.name).next_state("withdraw", before, actor.role)
        if before is Status.ACTIVE and policy.in_force_from <= shanghai_date(now):
            raise PolicyInForce
        policy.status, policy.withdrawn_by, policy.withdrawn_at = after, actor.id, now
        self._record(db, policy, "withdraw", before, actor=actor, now=now, note=note)

    def hold(self, db: Session, policy_id: str) -> P:
        """One policy, held until the transaction ends: admins decide one after the other.

        Raises:
            PolicyNotFound
        """
        found = db.get(self.model, policy_id, with_for_update=True)
        if found is None:
            raise PolicyNotFound
        return found

    def _record(
        self,
        db: Session,
        policy: P,
        name: str,
        before: Status,
        *,
        actor: Actor,
        now: datetime,
        note: str | None = None,
    ) -> None:
        db.flush()
        record(
            db,
            self.name,
            policy.id,
            name,
            before=before,
            after=policy.status,
            actor=actor,
            now=now,
            note=note,
        )
        self.changed(db, policy, now)
        forget(db, self.name)

    def _read(self, db: Session) -> dict[type[Kind], list[tuple[date, Any]]]:
        """Every active policy by kind, the oldest first; a handful of rows."""
        active = select(self.model.kind, self.model.in_force_from, self.model.value)
        active = active.where(self.model.status == Status.ACTIVE)
        known: dict[type[Kind], list[tuple[date, Any]]] = {k: [] for k in self.kinds.values()}
        for name, first_day, value in db.execute(active.order_by(self.model.in_force_from)):
            if kind := self.kinds.get(name):  # a newer release may know more kinds
                known[kind].append((first_day, kind.read(value)))
        return known
