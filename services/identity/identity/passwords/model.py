"""What is the matter with a password; most accounts have no row."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from identity.tables import Base
from servicekit.db import NOT_PERSONAL

_TIME = DateTime(timezone=True)


class PasswordCondition(Base):
    """A one-time password that ends, or one its owner no longer trusts; gone with the password."""

    __tablename__ = "password_condition"

    account_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("account.id"), primary_key=True, info=NOT_PERSONAL
    )
    expires_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    distrusted_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
