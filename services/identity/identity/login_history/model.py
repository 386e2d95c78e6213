"""The entries of the login history; device and address are sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from identity.login_history.rules import Outcome, Way
from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.personal import PersonalText
from servicekit.vault import BlindIndex, Sealed

_TIME = DateTime(timezone=True)


class LoginEvent(Base):
    """One login or try; without an account it is a try at a name nobody has."""

    __tablename__ = "login_event"
    __table_args__ = (
        Index("login_event_of_account", "account_id", "at", "id"),
        Index("login_event_at", "at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    session_id: Mapped[str | None] = mapped_column(String(36), info=NOT_PERSONAL)
    at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    way: Mapped[Way] = mapped_column(words(Way, 24), info=NOT_PERSONAL)
    outcome: Mapped[Outcome] = mapped_column(words(Outcome, 24), info=NOT_PERSONAL)
    device: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "login_event.device"), info=PERSONAL
    )
    address: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "login_event.address"), info=PERSONAL
    )
    place_index: Mapped[PersonalText] = mapped_column(
        BlindIndex("login_event.place"), info=PERSONAL
    )
    known_device: Mapped[bool] = mapped_column(info=NOT_PERSONAL)
    elsewhere: Mapped[bool] = mapped_column(info=NOT_PERSONAL)
    disowned_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
