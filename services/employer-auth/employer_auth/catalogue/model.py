"""The businesses that services publish."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from employer_auth.accounts.model import TIME
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL


class Business(Base):
    """One business (EA-06), as its service declared it last."""

    __tablename__ = "business"

    code: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    title: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    actions: Mapped[list[str]] = mapped_column(ARRAY(String(16)), info=NOT_PERSONAL)
    person_level: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    unit_level: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    unit_account: Mapped[bool] = mapped_column(info=NOT_PERSONAL)
    published_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    retired: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)
    # Since when tokens of older bindings may say too much; None once all were revised.
    narrowed_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
