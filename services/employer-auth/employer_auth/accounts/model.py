"""What is kept of identity's accounts: ids, levels, standing; of units also their public data."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from employer_auth.accounts.rules import Kind, Standing
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL, words

TIME = DateTime(timezone=True)


class Account(Base):
    """A person's, unit's or officer's account; ``level`` is on the scale of its kind."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    kind: Mapped[Kind | None] = mapped_column(words(Kind), info=NOT_PERSONAL)
    level: Mapped[int | None] = mapped_column(info=NOT_PERSONAL)
    standing: Mapped[Standing] = mapped_column(words(Standing), info=NOT_PERSONAL)
    changed_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)

    @property
    def is_cancelled(self) -> bool:
        """Is it gone for ever?"""
        return self.standing is Standing.CANCELLED


class Unit(Base):
    """A unit's public data; they come from identity and are corrected by officers."""

    __tablename__ = "unit"
    __table_args__ = (
        Index("unit_unmanaged", "id", postgresql_where=text("unmanaged_since IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    certificate_type: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    certificate_number: Mapped[str] = mapped_column(String(32), index=True, info=NOT_PERSONAL)
    name: Mapped[str] = mapped_column(String(200), info=NOT_PERSONAL)
    region: Mapped[str] = mapped_column(String(12), info=NOT_PERSONAL)
    registered_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    changed_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    frozen_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    unmanaged_since: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    restricted_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
