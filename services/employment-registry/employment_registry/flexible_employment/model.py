"""What is kept of an application, and of the record that an approval founds."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Date,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    String,
    text,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from employment_registry.flexible_employment.rules import EmploymentType, Kind
from employment_registry.person_columns import (
    PersonApplication,
    alike_indexes,
    only_one,
    while_open,
)
from employment_registry.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.queues import queue_indexes
from servicekit.teamwork.reviews import team_arguments
from servicekit.vault import BlindIndex

APPLICATION = "flexible_employment_application"
RECORD = "flexible_employment_record"
ONE_OPEN = "one_open_flexible_employment_application"
ONE_VALID = "one_valid_flexible_employment_record"
_VALID = text("is_valid")


class FlexibleEmploymentApplication(PersonApplication, Base):
    """One filing: 新增 or 变更. After approval it is never edited; the record points at it."""

    __tablename__ = APPLICATION
    __table_args__ = (
        *only_one(ONE_OPEN, while_open()),
        *team_arguments(APPLICATION),
        Index("flexible_employment_application_own", "applicant_id", "created_at", "id"),
        *queue_indexes(APPLICATION),
        *alike_indexes(APPLICATION),
    )

    kind: Mapped[Kind] = mapped_column(words(Kind), info=NOT_PERSONAL)
    record_id: Mapped[str | None] = mapped_column(
        ForeignKey(f"{RECORD}.id", use_alter=True), index=True, info=NOT_PERSONAL
    )

    employment_type: Mapped[EmploymentType | None] = mapped_column(
        words(EmploymentType), info=NOT_PERSONAL
    )
    started_on: Mapped[date | None] = mapped_column(Date, info=NOT_PERSONAL)
    work_place: Mapped[str | None] = mapped_column(String(12), info=NOT_PERSONAL)
    address: Mapped[str | None] = mapped_column(String(200), info=PERSONAL)
    occupation: Mapped[str | None] = mapped_column(String(60), info=NOT_PERSONAL)
    monthly_income: Mapped[Decimal | None] = mapped_column(Numeric(9, 2), info=PERSONAL)

    record: Mapped[FlexibleEmploymentRecord | None] = relationship(
        foreign_keys=[record_id], viewonly=True
    )


class FlexibleEmploymentRecord(Base):
    """That a person is, or was, registered; what is in force stands in its application."""

    __tablename__ = RECORD
    __table_args__ = (
        *only_one(ONE_VALID, _VALID),
        Index("flexible_employment_record_own", "applicant_id", "valid_since", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    applicant_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    person_key: Mapped[bytes] = mapped_column(BlindIndex("person.document_number"), info=PERSONAL)
    application_id: Mapped[str] = mapped_column(
        ForeignKey(f"{APPLICATION}.id"), unique=True, info=NOT_PERSONAL
    )
    is_valid: Mapped[bool] = mapped_column(info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    valid_since: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)

    application: Mapped[FlexibleEmploymentApplication] = relationship(
        foreign_keys=[application_id], viewonly=True
    )

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
