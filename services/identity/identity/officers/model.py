"""Officers: what they may do, where, and their second factor."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from identity.accounts.model import Account
from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL
from servicekit.personal import PersonalText, PersonName
from servicekit.vault import Sealed


class KnownBusiness(Base):
    """A business a service said it offers; officers are appointed to known ones only."""

    __tablename__ = "known_business"

    code: Mapped[str] = mapped_column(String(120), primary_key=True, info=NOT_PERSONAL)
    title: Mapped[str] = mapped_column(String(120), info=NOT_PERSONAL)
    retired: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)
    heard_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)


class Officer(Base):
    """The officer behind an account: region, businesses, roles, TOTP (ID-45)."""

    __tablename__ = "officer"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id"), primary_key=True, info=NOT_PERSONAL
    )
    name: Mapped[PersonName] = mapped_column(Sealed(PersonName, "officer.name"), info=PERSONAL)
    region: Mapped[str] = mapped_column(String(12), index=True, info=NOT_PERSONAL)
    businesses: Mapped[list[str]] = mapped_column(ARRAY(String(120)), info=NOT_PERSONAL)
    roles: Mapped[list[str]] = mapped_column(ARRAY(String(16)), info=NOT_PERSONAL)
    totp_secret: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "officer.totp_secret"), info=PERSONAL
    )
    # The last time step that was used: a code seen over a shoulder opens nothing.
    totp_step: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
    created_by: Mapped[str | None] = mapped_column(String(36), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    announced_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), info=NOT_PERSONAL
    )

    account: Mapped[Account] = relationship(lazy="joined", innerjoin=True)
