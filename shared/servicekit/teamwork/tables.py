"""The tables of a service whose officers work together; ``team_tables`` declares them on its base.

As with the standard tables the kit owns the columns and writes through its own ``Table`` objects.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Boolean, CheckConstraint, Date, DateTime, Index, Integer, String, Table, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from servicekit.columns import NOT_PERSONAL, PERSONAL, words
from servicekit.teamwork.rules import URGED_AT_MOST, Answer, OpinionKind, Verdict

_ID = String(36)
_ACTOR = String(80)
_TIME = DateTime(timezone=True)


class KnownOfficerColumns:
    """An officer as identity announced them: no name, no number; the person stays in identity."""

    officer_id: Mapped[str] = mapped_column(_ACTOR, primary_key=True, info=NOT_PERSONAL)
    region: Mapped[str] = mapped_column(String(12), info=NOT_PERSONAL)
    businesses: Mapped[list[str]] = mapped_column(ARRAY(String(120)), info=NOT_PERSONAL)
    roles: Mapped[list[str]] = mapped_column(ARRAY(String(16)), info=NOT_PERSONAL)
    is_active: Mapped[bool] = mapped_column(Boolean, info=NOT_PERSONAL)
    heard_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)


class OpinionColumns:
    """One question to one colleague (加签, 会签), and what they said."""

    id: Mapped[str] = mapped_column(_ID, primary_key=True, info=NOT_PERSONAL)
    business: Mapped[str] = mapped_column(String(120), info=NOT_PERSONAL)
    application_id: Mapped[str] = mapped_column(_ID, index=True, info=NOT_PERSONAL)
    kind: Mapped[OpinionKind] = mapped_column(words(OpinionKind), info=NOT_PERSONAL)
    asked_by: Mapped[str] = mapped_column(_ACTOR, info=NOT_PERSONAL)
    asked_of: Mapped[str] = mapped_column(_ACTOR, info=NOT_PERSONAL)
    asked_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    question: Mapped[str] = mapped_column(String(500), info=PERSONAL)
    answer: Mapped[Answer | None] = mapped_column(words(Answer), info=NOT_PERSONAL)
    said: Mapped[str | None] = mapped_column(String(500), info=PERSONAL)
    answered_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        open_ = text("answered_at IS NULL AND ended_at IS NULL")
        return (
            CheckConstraint("asked_by <> asked_of", name="review_opinion_of_another"),
            CheckConstraint(
                "(answer IS NULL) = (answered_at IS NULL)", name="review_opinion_answered"
            ),
            Index(
                "one_open_opinion_per_colleague",
                "application_id",
                "asked_of",
                unique=True,
                postgresql_where=open_,
            ),
            Index("review_opinion_asked", "asked_of", "business", postgresql_where=open_),
        )


class UrgingColumns:
    """The applicant urged (催办): once per working day, and not for ever."""

    application_id: Mapped[str] = mapped_column(_ID, primary_key=True, info=NOT_PERSONAL)
    for_day: Mapped[date] = mapped_column(Date, primary_key=True, info=NOT_PERSONAL)
    ordinal: Mapped[int] = mapped_column(Integer, info=NOT_PERSONAL)
    at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        within = f"ordinal BETWEEN 1 AND {URGED_AT_MOST}"
        return (
            CheckConstraint(within, name="review_urging_within_bounds"),
            Index("review_urging_ordinal", "application_id", "ordinal", unique=True),
        )


class DecisionColumns:
    """One decision, as the statistics count it; what was said stands in the history."""

    id: Mapped[str] = mapped_column(_ID, primary_key=True, info=NOT_PERSONAL)
    business: Mapped[str] = mapped_column(String(120), info=NOT_PERSONAL)
    application_id: Mapped[str] = mapped_column(_ID, info=NOT_PERSONAL)
    region: Mapped[str] = mapped_column(String(12), info=NOT_PERSONAL)
    move: Mapped[str] = mapped_column(String(40), info=NOT_PERSONAL)
    reason_code: Mapped[str | None] = mapped_column(String(60), info=NOT_PERSONAL)
    officer_id: Mapped[str] = mapped_column(_ACTOR, info=NOT_PERSONAL)
    filed_on: Mapped[date | None] = mapped_column(Date, info=NOT_PERSONAL)  # None: told by old code
    decided_on: Mapped[date] = mapped_column(Date, info=NOT_PERSONAL)
    working_days: Mapped[int] = mapped_column(Integer, info=NOT_PERSONAL)
    was_overdue: Mapped[bool] = mapped_column(Boolean, info=NOT_PERSONAL)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            Index("review_decision_month", "business", "decided_on"),
            Index("review_decision_filed", "business", "filed_on"),
            Index("review_decision_application", "application_id"),
        )


class MarkColumns:
    """What an officer last said of one possible duplicate; what was said before is history."""

    application_id: Mapped[str] = mapped_column(_ID, primary_key=True, info=NOT_PERSONAL)
    other: Mapped[str] = mapped_column(String(64), primary_key=True, info=NOT_PERSONAL)
    business: Mapped[str] = mapped_column(String(120), info=NOT_PERSONAL)
    verdict: Mapped[Verdict] = mapped_column(words(Verdict), info=NOT_PERSONAL)
    reason: Mapped[str] = mapped_column(String(500), info=PERSONAL)
    marked_by: Mapped[str] = mapped_column(_ACTOR, info=NOT_PERSONAL)
    marked_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)


_TABLES: Final[dict[str, type[Any]]] = {
    "known_officer": KnownOfficerColumns,
    "review_opinion": OpinionColumns,
    "review_urging": UrgingColumns,
    "review_decision": DecisionColumns,
    "review_mark": MarkColumns,
}


def team_tables(base: type[DeclarativeBase]) -> None:
    """Declare every one of them on a service's own ``Base``."""
    for name, columns in _TABLES.items():
        mapped = f"Team{columns.__name__.removesuffix('Columns')}"
        type(mapped, (columns, base), {"__tablename__": name, "__doc__": columns.__doc__})


class TeamTables(DeclarativeBase):
    """The kit's own view of them."""


team_tables(TeamTables)


def _table(name: str) -> Table:
    return TeamTables.metadata.tables[name]


KNOWN_OFFICER: Final = _table("known_officer")
OPINION: Final = _table("review_opinion")
URGING: Final = _table("review_urging")
DECISION: Final = _table("review_decision")
MARK: Final = _table("review_mark")
