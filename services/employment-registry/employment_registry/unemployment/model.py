"""What is kept of an application, and of the registration that an approval founds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, DateTime, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from employment_registry.person_columns import (
    PersonApplication,
    alike_indexes,
    only_one,
    while_open,
)
from employment_registry.tables import Base
from employment_registry.unemployment.rules import Cause, Ending
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.queues import queue_indexes
from servicekit.teamwork.reviews import team_arguments
from servicekit.vault import BlindIndex

APPLICATION = "unemployment_application"
RECORD = "unemployment_record"
ONE_OPEN = "one_open_unemployment_application"
ONE_VALID = "one_valid_unemployment_record"
_TIME = DateTime(timezone=True)
_VALID = text("is_valid")


class UnemploymentApplication(PersonApplication, Base):
    """One filing; ``region`` is the office that serves the person, also after it changed."""

    __tablename__ = APPLICATION
    __table_args__ = (
        *only_one(ONE_OPEN, while_open()),
        *team_arguments(APPLICATION),
        Index(f"{APPLICATION}_own", "applicant_id", "created_at", "id"),
        *queue_indexes(APPLICATION),
        *alike_indexes(APPLICATION),
    )

    cause: Mapped[Cause | None] = mapped_column(words(Cause), info=PERSONAL)
    unemployed_on: Mapped[date | None] = mapped_column(Date, info=NOT_PERSONAL)
    former_employer: Mapped[str | None] = mapped_column(String(120), info=PERSONAL)
    service_place: Mapped[str | None] = mapped_column(String(12), info=NOT_PERSONAL)
    address: Mapped[str | None] = mapped_column(String(200), info=PERSONAL)
    wishes: Mapped[list[str]] = mapped_column(ARRAY(String(16)), default=list, info=NOT_PERSONAL)


class UnemploymentRecord(Base):
    """That a person is, or was, registered as unemployed."""

    __tablename__ = RECORD
    __table_args__ = (
        *only_one(ONE_VALID, _VALID),
        Index(f"{RECORD}_own", "applicant_id", "valid_since", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    applicant_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    person_key: Mapped[bytes] = mapped_column(BlindIndex("person.document_number"), info=PERSONAL)
    application_id: Mapped[str] = mapped_column(
        ForeignKey(f"{APPLICATION}.id"), unique=True, info=NOT_PERSONAL
    )
    is_valid: Mapped[bool] = mapped_column(info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    service_place: Mapped[str] = mapped_column(String(12), info=NOT_PERSONAL)
    service_place_changed_on: Mapped[date | None] = mapped_column(Date, info=NOT_PERSONAL)
    valid_since: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    ending: Mapped[Ending | None] = mapped_column(words(Ending), info=PERSONAL)

    application: Mapped[UnemploymentApplication] = relationship(
        foreign_keys=[application_id], viewonly=True
    )

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
