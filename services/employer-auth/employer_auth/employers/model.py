"""What is kept of a unit's data: its own number, and every value with the days it holds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from employer_auth.accounts.model import TIME, Unit
from employer_auth.employers.rules import Source, UnitField
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words

__all__ = ["Unit", "UnitNumbers", "UnitValue"]


class UnitNumbers(Base):
    """The numbers a unit is found by; its 单位管理码 is given once and never changes."""

    __tablename__ = "unit_numbers"
    __table_args__ = (Index("unit_organisation_code", "organisation_code"),)

    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), primary_key=True, info=NOT_PERSONAL)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True, info=NOT_PERSONAL)
    management_code: Mapped[str | None] = mapped_column(String(12), unique=True, info=NOT_PERSONAL)
    organisation_code: Mapped[str | None] = mapped_column(String(9), info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(default=1, info=NOT_PERSONAL)
    given_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)


class UnitValue(Base):
    """One value of one field, from when until when; the one that holds has no end."""

    __tablename__ = "unit_value"
    __table_args__ = (
        Index(
            "one_value_that_holds",
            "unit_id",
            "field",
            unique=True,
            postgresql_where=text("valid_until IS NULL"),
        ),
        Index("unit_value_history", "unit_id", "valid_since", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), info=NOT_PERSONAL)
    field: Mapped[UnitField] = mapped_column(words(UnitField), info=NOT_PERSONAL)
    value: Mapped[str] = mapped_column(String(200), info=NOT_PERSONAL)
    source: Mapped[Source] = mapped_column(words(Source), info=NOT_PERSONAL)
    valid_since: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    valid_until: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    corrected_by: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    reason: Mapped[str | None] = mapped_column(String(500), info=PERSONAL)
