"""What is kept of a question to a register: how far it is and what was found, not the answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from employment_registry.checks.rules import Finding, Progress, System
from employment_registry.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words

_TIME = DateTime(timezone=True)


class OutsideCheck(Base):
    """One register asked about one application; ``attempts`` also fences off a late answer."""

    __tablename__ = "outside_check"
    __table_args__ = (
        Index("one_outside_check", "application_id", "system", unique=True),
        Index(
            "outside_check_waiting",
            "system",
            "next_attempt_at",
            postgresql_where=text("progress IN ('waiting', 'asking')"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    application_id: Mapped[str] = mapped_column(String(36), info=NOT_PERSONAL)
    business: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    system: Mapped[System] = mapped_column(words(System, 24), info=NOT_PERSONAL)
    progress: Mapped[Progress] = mapped_column(words(Progress), info=NOT_PERSONAL)
    attempts: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    next_attempt_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    give_up_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    answered_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, info=PERSONAL)
    reference: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    answer_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), info=NOT_PERSONAL)

    @property
    def found(self) -> list[Finding]:
        """What the answer showed."""
        return [Finding.of(each) for each in self.findings]


class OutsideBreaker(Base):
    """How often a system has failed in a row; every process leaves alone what is down."""

    __tablename__ = "outside_breaker"

    system: Mapped[System] = mapped_column(words(System, 24), primary_key=True, info=NOT_PERSONAL)
    failures: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    open_until: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
