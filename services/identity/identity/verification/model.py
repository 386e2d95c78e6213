"""The evidence behind a level."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from identity.tables import Base
from servicekit.db import NOT_PERSONAL, new_id


class Evidence(Base):
    """One successful check: the channel, when, under which reference, good until when (ID-06)."""

    __tablename__ = "evidence"
    __table_args__ = (Index("evidence_of_account", "account_id", "verified_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    channel: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    level: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    reference: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    # The hash of the raw answer settles a later dispute without keeping what was in it.
    answer_hash: Mapped[bytes] = mapped_column(LargeBinary(32), info=NOT_PERSONAL)
    verified_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
