"""In-app messages and the SMS on their way out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, Enum, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from identity.messages.rules import DeliveryState
from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id
from servicekit.personal import MobileNumber, PersonalText
from servicekit.vault import Sealed

_TIME = DateTime(timezone=True)


class Message(Base):
    """Something a person is told inside the application; ``subject`` is what it is about."""

    __tablename__ = "message"
    __table_args__ = (
        Index("message_of_account", "account_id", "id"),
        Index("message_unread", "account_id", postgresql_where=text("read_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    template: Mapped[str] = mapped_column(String(60), info=NOT_PERSONAL)
    template_version: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    title: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    body: Mapped[str] = mapped_column(Text, info=NOT_PERSONAL)
    subject: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    read_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class Delivery(Base):
    """One SMS; its id is the reference under which the gateway takes it once."""

    __tablename__ = "sms_delivery"
    __table_args__ = (
        Index(
            "sms_delivery_waiting",
            "next_attempt_at",
            postgresql_where=text("state IN ('created', 'sending', 'temporary-failure')"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    template: Mapped[str] = mapped_column(String(60), info=NOT_PERSONAL)
    template_version: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    phone: Mapped[MobileNumber] = mapped_column(
        Sealed(MobileNumber, "sms_delivery.phone"), info=PERSONAL
    )
    # Forgotten once delivered or given up: a text may hold a code.
    text: Mapped[PersonalText | None] = mapped_column(
        Sealed(PersonalText, "sms_delivery.text"), info=PERSONAL
    )
    state: Mapped[DeliveryState] = mapped_column(
        Enum(
            DeliveryState,
            native_enum=False,
            length=20,
            values_callable=lambda e: [m.value for m in e],
        ),
        info=NOT_PERSONAL,
    )
    attempts: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    next_attempt_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    useless_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    finished_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
