"""What one admin proposes about two accounts, and another decides."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from identity.duplicates.rules import Outcome, Way
from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words

_TIME = DateTime(timezone=True)


class Resolution(Base):
    """Which account stays, which is given up, and why (ID-05)."""

    __tablename__ = "duplicate_resolution"
    __table_args__ = (
        Index(
            "duplicate_resolution_one_open",
            "given_up_id",
            unique=True,
            postgresql_where=text("outcome = 'proposed'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    way: Mapped[Way] = mapped_column(words(Way, 8), info=NOT_PERSONAL)
    outcome: Mapped[Outcome] = mapped_column(words(Outcome, 12), info=NOT_PERSONAL)
    kept_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    given_up_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    reason: Mapped[str] = mapped_column(Text, info=PERSONAL)
    proposed_by: Mapped[str] = mapped_column(String(36), info=NOT_PERSONAL)
    proposed_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)
    decided_by: Mapped[str | None] = mapped_column(String(36), info=NOT_PERSONAL)
    decided_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    decided_note: Mapped[str | None] = mapped_column(Text, info=PERSONAL)
