"""What is kept of a grant: a row is never edited, a change ends it and begins another (EA-11)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from employer_auth.accounts.model import TIME
from employer_auth.catalogue.model import Business
from employer_auth.grants.rules import Ending
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL, new_id, words

ONE_LIVE = "one_live_grant"
_LIVE = text("ended_at IS NULL")


class Grant(Base):
    """Actions in one business, somewhere, for a while."""

    __tablename__ = "permission_grant"
    __table_args__ = (
        Index(ONE_LIVE, "binding_id", "business", unique=True, postgresql_where=_LIVE),
        Index("permission_grant_of_binding", "binding_id", "granted_at", "id"),
        Index("permission_grant_of_business", "business", postgresql_where=_LIVE),
        Index("permission_grant_ending", "valid_until", postgresql_where=_LIVE),
        Index(
            "permission_grant_beginning",
            "valid_from",
            postgresql_where=text("ended_at IS NULL AND NOT begun"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    binding_id: Mapped[str] = mapped_column(ForeignKey("binding.id"), info=NOT_PERSONAL)
    business: Mapped[str] = mapped_column(ForeignKey("business.code"), info=NOT_PERSONAL)
    actions: Mapped[list[str]] = mapped_column(ARRAY(String(16)), info=NOT_PERSONAL)
    region: Mapped[str | None] = mapped_column(String(12), info=NOT_PERSONAL)
    level: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    valid_from: Mapped[date] = mapped_column(Date, info=NOT_PERSONAL)
    valid_until: Mapped[date] = mapped_column(Date, info=NOT_PERSONAL)
    begun: Mapped[bool] = mapped_column(info=NOT_PERSONAL)  # told to everybody as in force
    granted_by: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    granted_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    ended_by: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    ending: Mapped[Ending | None] = mapped_column(words(Ending), info=NOT_PERSONAL)

    offer: Mapped[Business] = relationship(viewonly=True)  # the business as it is offered now
