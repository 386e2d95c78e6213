"""The codes that were sent, hashed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id
from servicekit.vault import BlindIndex


class SmsCode(Base):
    """One code for one phone and one purpose; asking again replaces it."""

    __tablename__ = "sms_code"
    __table_args__ = (
        Index("sms_code_open", "phone_index", "purpose", postgresql_where=text("used_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    phone_index: Mapped[str] = mapped_column(BlindIndex("sms_code.phone"), info=PERSONAL)
    # The account it was sent for, where one asked; empty for visitors.
    owner_id: Mapped[str | None] = mapped_column(String(36), info=NOT_PERSONAL)
    purpose: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    tries: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
