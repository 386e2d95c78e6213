"""The applications several officers work on: columns, and what is done with one of them (AL-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import CheckConstraint, Date, Index, Integer, Select, String, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from servicekit import reviewing
from servicekit.applications import Actor, advance
from servicekit.claims import Decision, check_four_eyes
from servicekit.columns import NOT_PERSONAL
from servicekit.queues import QueueFilters
from servicekit.reviewing import Reviewed, Reviews
from servicekit.teamwork import decisions, duplicates, opinions, roster, rules
from servicekit.teamwork.duplicates import Alike
from servicekit.teamwork.rules import Answer, OpinionKind
from servicekit.teamwork.tables import OPINION
from servicekit.teamwork.telling import Matter, Teller
from servicekit.workflow import Role


class TeamReviewed(Reviewed):
    """Columns of an application that several officers may have a hand in."""

    assigned_to: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)  # 转办
    awaited: Mapped[int] = mapped_column(Integer, default=0, server_default="0", info=NOT_PERSONAL)
    urged_times: Mapped[int] = mapped_column(
        Integer, default=0, server_default="0", info=NOT_PERSONAL
    )
    urged_on: Mapped[date | None] = mapped_column(Date, info=NOT_PERSONAL)
    # Whose batch the sample took it from: another officer approves it.
    sampled_from: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)


def team_arguments(table: str) -> tuple[CheckConstraint, Index, Index]:
    """For the table's arguments: what no approval passes over, and what is found by index."""
    handed, urged = text("assigned_to IS NOT NULL"), text("urged_times > 0")
    return (
        CheckConstraint("state <> 'approved' OR awaited = 0", name=f"{table}_agreed"),
        Index(f"{table}_assigned", "assigned_to", postgresql_where=handed),
        Index(f"{table}_urged", "urged_on", postgresql_where=urged),
    )


T = TypeVar("T", bound=TeamReviewed)


def ask_no_more(db: Session, application: TeamReviewed, now: datetime) -> None:
    """Whatever colleagues were asked about it needs no answer any more."""
    if application.awaited:
        opinions.end(db, now, OPINION.c.application_id == application.id)
        application.awaited = 0


@dataclass(frozen=True, slots=True)
class TeamFilters(QueueFilters):
    """What an officer of a team narrows the queue by, beside the rest."""

    asked: bool = False  # only what waits for the caller's opinion
    assigned: bool = False  # only what was handed to the caller
    urged: bool = False  # only what its applicant urged


@dataclass(frozen=True, kw_only=True)
class TeamReviews(Reviews[T]):
    """The reviews of a matter whose officers work together.

    Args:
        teller: tells the officer to whom something is handed.
        sample_percent: of a batch's approvals, left to another officer.
        alike: finds who may be the applicant once more; None where nobody looks.
    """

    teller: Teller
    sample_percent: int = rules.SAMPLE_PERCENT
    alike: Alike[T] | None = None

    def queue(self, actor: Actor, filters: QueueFilters, now: datetime) -> Select[T]:
        """What has been filed in the officer's region and below (AL-02)."""
        wanted = super().queue(actor, filters, now)
        if not isinstance(filters, TeamFilters):
            return wanted
        if filters.asked:
            wanted = wanted.where(self.model.id.in_(self._asked_of(actor)))
        if filters.assigned:
            wanted = wanted.where(self.model.assigned_to == actor.id)
        return wanted.where(self.model.urged_times > 0) if filters.urged else wanted

    def check(self, db: Session, application: T, move: str, *, actor: Actor, now: datetime) -> None:
        """Only whoever it was handed to decides, and approves when all who were asked agree.

        Raises:
            ClaimedByOther, AssignedToOther, OpinionOpen, SameOfficer, DuplicatesUnseen,
            HeldByDuplicate
        """
        super().check(db, application, move, actor=actor, now=now)
        handed = application.assigned_to
        if handed not in (None, actor.id) and roster.is_in_office(db, str(handed)):
            raise rules.AssignedToOther(extra={"assigned_to": handed})
        if move == "approve":
            rules.check_agreed(application.awaited)
            if application.sampled_from is not None:
                check_four_eyes(application.sampled_from, actor.id)
            if self.alike is not None:
                duplicates.check(db, self.alike, application, now)

    def prepare(
        self,
        db: Session,
        application: T,
        move: str,
        decision: Decision | None,
        *,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Count the decision; sending back or turning down ends what colleagues were asked."""
        code = decision.code if decision else None
        decisions.record(
            db, self.workflow.name, application, move, code=code, officer_id=actor.id, now=now
        )
        if move != "approve":
            ask_no_more(db, application, now)

    def transfer(
        self,
        db: Session,
        application_id: str,
        to: str,
        *,
        actor: Actor,
        now: datetime,
        reason: str,
        seen: int | None = None,
    ) -> T:
        """转办: from now on another officer decides, who is told; also back to oneself.

        Raises:
            ClaimedByOther, WrongState, OfficerUnsuitable, AlreadyAssigned
        """
        application = self.find(db, application_id, actor, seen)
        self.workflow.next_state("transfer", application.state, actor.role)
        reviewing.check_free(application, actor, now)
        if to == application.assigned_to:
            raise rules.AlreadyAssigned
        if to != actor.id:
            self._check_colleagues(db, application, [to], "/officer_id")
        application.assigned_to = to
        application.claimed_by = application.claimed_until = None
        self._note(db, application, "transfer", f"{to}：{reason}", actor=actor, now=now)
        if to != actor.id:
            self._tell(db, to, Matter.TRANSFERRED, application, now)
        return application

    def ask(
        self,
        db: Session,
        application_id: str,
        kind: OpinionKind,
        colleagues: Sequence[str],
        *,
        actor: Actor,
        now: datetime,
        question: str,
        seen: int | None = None,
    ) -> T:
        """加签 or 会签: approval waits until all of them have answered, or agreed.

        Raises:
            ClaimedByOther, AssignedToOther, WrongState, OfficerUnsuitable, AlreadyAsked
        """
        application = self.find(db, application_id, actor, seen)
        self.workflow.next_state("ask-opinion", application.state, actor.role)
        self.check(db, application, "claim", actor=actor, now=now)
        asked = list(dict.fromkeys(colleagues))
        self._check_colleagues(db, application, asked, "/officers/{}", but=actor.id)
        application.awaited += len(asked)
        said = f"{kind.value} {'、'.join(asked)}：{question}"
        self._note(db, application, "ask-opinion", said, actor=actor, now=now)
        opinions.ask(
            db,
            application.id,
            kind,
            asked,
            business=self.workflow.name,
            asked_by=actor.id,
            question=question,
            now=now,
        )
        for colleague in asked:
            self._tell(db, colleague, Matter(kind.value), application, now)
        return application

    def answer(
        self,
        db: Session,
        application_id: str,
        opinion_id: str,
        said: Answer,
        *,
        actor: Actor,
        now: datetime,
        words: str | None,
    ) -> T:
        """A colleague says what they think; whoever asked is told.

        Raises:
            OpinionNotFound: not asked of the caller, answered or withdrawn.
            WrongState: it is decided.
        """
        application = self.find(db, application_id, actor)
        self.workflow.next_state("give-opinion", application.state, actor.role)
        asked = opinions.hold_asked_of(db, application.id, opinion_id, actor.id)
        if not rules.waits(asked.kind, said):
            application.awaited -= 1
        note = f"{said.value}：{words}" if words else said.value
        self._note(db, application, "give-opinion", note, actor=actor, now=now)
        opinions.answer(db, opinion_id, said, words, now)
        self._tell(db, asked.asked_by, Matter.ANSWERED, application, now)
        return application

    def withdraw_opinion(
        self, db: Session, application_id: str, opinion_id: str, *, actor: Actor, now: datetime
    ) -> T:
        """Ask no more; what was asked stays on record.

        An answer is not withdrawn: who disagrees in a joint review may agree later, or has left
        office. A question of somebody who has left is anybody's to withdraw.

        Raises:
            OpinionNotFound: not the caller's to withdraw, answered, or withdrawn already.
        """
        application = self.find(db, application_id, actor)
        self.workflow.next_state("withdraw-opinion", application.state, actor.role)
        asked = opinions.hold_awaited(db, application.id, opinion_id)
        is_theirs = asked.asked_by == actor.id or not roster.is_in_office(db, asked.asked_by)
        is_over = asked.answer is None or not roster.is_in_office(db, asked.asked_of)
        if not (is_theirs and is_over):
            raise rules.OpinionNotFound
        application.awaited -= 1
        self._note(db, application, "withdraw-opinion", asked.asked_of, actor=actor, now=now)
        opinions.end(db, now, OPINION.c.id == opinion_id)
        return application

    def hold_for_second(self, db: Session, application: T, *, actor: Actor, now: datetime) -> None:
        """A batch leaves it to another officer (抽查复核)."""
        application.sampled_from = actor.id
        application.claimed_by = application.claimed_until = None
        chance = replace(actor, role=Role.SYSTEM)  # nobody chooses it
        self._note(db, application, "hold-for-second", None, actor=chance, now=now)

    def _asked_of(self, actor: Actor) -> Any:
        return opinions.asked_of(actor.id, self.workflow.name)

    def _check_colleagues(
        self,
        db: Session,
        application: T,
        wanted: Sequence[str],
        field: str,
        but: str | None = None,
    ) -> None:
        others = [each if each != but else "" for each in wanted]
        region, business = application.region or "", self.workflow.name
        roster.check(db, others, business=business, region=region, field=field)

    def _note(
        self,
        db: Session,
        application: T,
        move: str,
        note: str | None,
        *,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Into the chained history, with a new version: of two who write at once one wins."""
        advance(db, self.workflow, application, move, actor=actor, now=now, note=note)

    def _tell(
        self, db: Session, officer_id: str, matter: Matter, application: T, now: datetime
    ) -> None:
        self.teller.tell(
            db,
            officer_id,
            matter,
            business=self.workflow.name,
            application=application,
            now=now,
        )
