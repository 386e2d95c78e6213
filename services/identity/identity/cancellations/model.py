"""Cancellations asked for, and what stands against them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from identity.cancellations.rules import TieKind
from identity.tables import Base
from servicekit.db import NOT_PERSONAL, new_id, words

_TIME = DateTime(timezone=True)


class Cancellation(Base):
    """One wish to end an account, and what became of it."""

    __tablename__ = "cancellation"
    __table_args__ = (
        Index(
            "cancellation_one_open",
            "account_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL AND done_at IS NULL"),
        ),
        Index(
            "cancellation_due",
            "takes_effect_at",
            postgresql_where=text("undone_at IS NULL AND done_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    asked_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    takes_effect_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    undone_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    done_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class Tie(Base):
    """Something open in another service, as its events tell it."""

    __tablename__ = "cancellation_tie"

    kind: Mapped[TieKind] = mapped_column(
        words(TieKind),
        primary_key=True,
        info=NOT_PERSONAL,
    )
    key: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(
        String(80), primary_key=True, index=True, info=NOT_PERSONAL
    )
    title: Mapped[str] = mapped_column(String(200), info=NOT_PERSONAL)
    since: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
