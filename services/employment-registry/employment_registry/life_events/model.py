"""What happened to people, what is to end because of it, and how far a register was read."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, DateTime, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from employment_registry.checks.rules import System
from employment_registry.life import Standing
from employment_registry.life_events import rules
from employment_registry.person_columns import PersonColumns
from employment_registry.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.queues import queue_indexes
from servicekit.teamwork.reviews import TeamReviewed, team_arguments
from servicekit.vault import BlindIndex

ENDING = "planned_ending"
_TIME = DateTime(timezone=True)
_OPEN = text("state IN ({})".format(", ".join(f"'{state.value}'" for state in rules.OPEN)))


class LifeEvent(Base):
    """One thing that happened; ``reference`` is its source's own number, so it is kept once."""

    __tablename__ = "life_event"
    __table_args__ = (
        Index("one_life_event", "source", "reference", unique=True),
        Index("life_event_person", "person_key"),
        Index("life_event_unweighed", "id", postgresql_where=text("NOT weighed")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    source: Mapped[str] = mapped_column(String(24), info=NOT_PERSONAL)
    reference: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    person_key: Mapped[bytes] = mapped_column(BlindIndex("person.document_number"), info=PERSONAL)
    happening: Mapped[rules.Happening] = mapped_column(words(rules.Happening), info=PERSONAL)
    on: Mapped[date] = mapped_column("on_day", Date, info=PERSONAL)
    heard_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    refuted: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)
    # Has been asked what it ends; a worker that dies in between leaves it to the next.
    weighed: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)


class PlannedEnding(PersonColumns, TeamReviewed, Base):
    """That a registration is to end, and what became of it; an objection makes it reviewed."""

    __tablename__ = ENDING
    __table_args__ = (
        Index("one_open_ending", "record_id", unique=True, postgresql_where=_OPEN),
        Index(f"{ENDING}_own", "applicant_id", "created_at", "id"),
        Index(f"{ENDING}_due", "takes_effect_on", "id", postgresql_where=_OPEN),
        *queue_indexes(ENDING),
        *team_arguments(ENDING),
    )

    standing: Mapped[Standing] = mapped_column(words(Standing), info=NOT_PERSONAL)
    record_id: Mapped[str] = mapped_column(String(36), info=NOT_PERSONAL)
    event_id: Mapped[str] = mapped_column(ForeignKey("life_event.id"), info=NOT_PERSONAL)
    takes_effect_on: Mapped[date] = mapped_column(Date, info=NOT_PERSONAL)
    took_effect: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)
    explanation: Mapped[str | None] = mapped_column(String(1000), info=PERSONAL)

    event: Mapped[LifeEvent] = relationship(lazy="joined")


class RegisterPosition(Base):
    """Up to which number a register's changes have been heard."""

    __tablename__ = "register_position"

    system: Mapped[System] = mapped_column(words(System, 24), primary_key=True, info=NOT_PERSONAL)
    number: Mapped[int] = mapped_column(BigInteger, info=NOT_PERSONAL)
