"""What is kept of an entrustment, and of the businesses in it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from employer_auth.accounts.model import TIME, Unit
from employer_auth.entrustments.rules import LIVE, EntrustmentState
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL, new_id, words

ONE_LIVE = "one_live_entrustment"
_LIVE = text("state IN ({})".format(", ".join(f"'{state.value}'" for state in LIVE)))


class EntrustedBusiness(Base):
    """One business the agency holds for the unit; a row that ended stays (EA-11)."""

    __tablename__ = "entrusted_business"
    __table_args__ = (
        Index(
            "one_live_entrusted_business",
            "entrustment_id",
            "business",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    entrustment_id: Mapped[str] = mapped_column(ForeignKey("entrustment.id"), info=NOT_PERSONAL)
    business: Mapped[str] = mapped_column(ForeignKey("business.code"), info=NOT_PERSONAL)
    actions: Mapped[list[str]] = mapped_column(ARRAY(String(16)), info=NOT_PERSONAL)
    region: Mapped[str | None] = mapped_column(String(12), info=NOT_PERSONAL)
    valid_from: Mapped[date] = mapped_column(Date, info=NOT_PERSONAL)
    valid_until: Mapped[date] = mapped_column(Date, info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)


class Entrustment(Base):
    """A unit and the agency it hands businesses to."""

    __tablename__ = "entrustment"
    __table_args__ = (
        Index(ONE_LIVE, "unit_id", "agency_id", unique=True, postgresql_where=_LIVE),
        Index("entrustment_of_unit", "unit_id", "created_at", "id"),
        Index("entrustment_of_agency", "agency_id", "created_at", "id"),
        Index("entrustment_ending", "valid_until", postgresql_where=_LIVE),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), info=NOT_PERSONAL)
    agency_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), info=NOT_PERSONAL)
    state: Mapped[EntrustmentState] = mapped_column(words(EntrustmentState), info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(default=1, info=NOT_PERSONAL)
    valid_until: Mapped[date] = mapped_column(Date, info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    changed_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id], lazy="joined", viewonly=True)
    agency: Mapped[Unit] = relationship(foreign_keys=[agency_id], lazy="joined", viewonly=True)
    businesses: Mapped[list[EntrustedBusiness]] = relationship(
        primaryjoin="and_(Entrustment.id == EntrustedBusiness.entrustment_id, "
        "EntrustedBusiness.ended_at.is_(None))",
        order_by=EntrustedBusiness.business,
        lazy="selectin",
        viewonly=True,
    )

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
