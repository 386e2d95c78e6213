"""What is kept of a deed: ids, states and numbers of applications, never their content."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from employer_auth.accounts.model import TIME
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL


class Deed(Base):
    """A person moved an application for a unit (EA-11)."""

    __tablename__ = "deed"
    __table_args__ = (
        Index("deed_of_unit", "unit_id", "at", "id"),
        Index("deed_of_person", "person_id", "at", "id"),
    )

    id: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    unit_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    person_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    via: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    business: Mapped[str] = mapped_column(String(120), info=NOT_PERSONAL)
    application_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    number: Mapped[str | None] = mapped_column(String(40), info=NOT_PERSONAL)
    move: Mapped[str] = mapped_column(String(40), info=NOT_PERSONAL)
    after: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
