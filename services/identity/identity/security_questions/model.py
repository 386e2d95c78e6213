"""The three questions of an account, with their hashed answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from identity.tables import Base
from servicekit.db import NOT_PERSONAL


class SecurityAnswer(Base):
    """One question and the argon2id hash of its normalised answer (ID-16)."""

    __tablename__ = "security_answer"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id"), primary_key=True, info=NOT_PERSONAL
    )
    position: Mapped[int] = mapped_column(primary_key=True, info=NOT_PERSONAL)
    question: Mapped[str] = mapped_column(String(40), info=NOT_PERSONAL)
    answer_hash: Mapped[str] = mapped_column(String(200), info=NOT_PERSONAL)
    set_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
