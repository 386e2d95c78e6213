"""In-app messages, the SMS on their way out, and the notices other services asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from identity.messages.rules import DeliveryState, To
from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.personal import MobileNumber, PersonalText
from servicekit.vault import Sealed

_TIME = DateTime(timezone=True)


class Wording(PersonalText):
    """A text as it was written: NFKC would turn its Chinese commas into ASCII ones."""

    @classmethod
    def normal(cls, text: str) -> str:
        return text


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
    # Instead of ``body`` where the words came from elsewhere: they may hold a code or a name.
    sealed_body: Mapped[Wording | None] = mapped_column(
        Sealed(Wording, "message.sealed_body"), info=PERSONAL
    )
    subject: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    read_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)

    @property
    def text(self) -> str:
        """What its owner reads."""
        return self.body if self.sealed_body is None else self.sealed_body.expose()


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
    text: Mapped[Wording | None] = mapped_column(
        Sealed(Wording, "sms_delivery.text"), info=PERSONAL
    )
    state: Mapped[DeliveryState] = mapped_column(words(DeliveryState, 20), info=NOT_PERSONAL)
    attempts: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    next_attempt_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    useless_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    finished_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class Notice(Base):
    """What another service asked to tell somebody; it reads its delivery here and nothing else."""

    __tablename__ = "notice"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    client_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    recipient: Mapped[To] = mapped_column(words(To, 20), info=NOT_PERSONAL)
    template: Mapped[str] = mapped_column(String(60), info=NOT_PERSONAL)
    template_version: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    test: Mapped[bool] = mapped_column(info=NOT_PERSONAL)
    delivery_id: Mapped[str | None] = mapped_column(
        ForeignKey("sms_delivery.id", ondelete="SET NULL"), info=NOT_PERSONAL
    )
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)

    delivery: Mapped[Delivery | None] = relationship(lazy="joined", innerjoin=False)
