"""What is kept of offers and copies; no secret in clear, and nothing about the person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from employment_registry.certificate.model import CERTIFICATE
from employment_registry.tables import Base
from employment_registry.wallet.rules import Event
from servicekit.db import NOT_PERSONAL, new_id, words

OFFER = "wallet_offer"
COPY = "wallet_copy"
NONCE = "wallet_nonce"
_TIME = DateTime(timezone=True)
# Copies and certificates take their places in the status list from one counter.
_NEXT_POSITION = text("nextval('certificate_position_seq')")
_HASH = LargeBinary(32)


class WalletOffer(Base):
    """The person's one offer; making another takes its place, whatever became of it."""

    __tablename__ = OFFER

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    applicant_id: Mapped[str] = mapped_column(String(80), unique=True, info=NOT_PERSONAL)
    certificate_id: Mapped[str] = mapped_column(ForeignKey(f"{CERTIFICATE}.id"), info=NOT_PERSONAL)
    code_hash: Mapped[bytes] = mapped_column(_HASH, unique=True, info=NOT_PERSONAL)
    transaction_code_hash: Mapped[bytes] = mapped_column(_HASH, info=NOT_PERSONAL)
    tries: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    used_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    token_hash: Mapped[bytes | None] = mapped_column(_HASH, unique=True, info=NOT_PERSONAL)
    token_expires_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    copies: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)


class WalletCopy(Base):
    """One copy in somebody's wallet, with a place of its own in the status list."""

    __tablename__ = COPY
    __table_args__ = (
        Index(f"{COPY}_certificate", "certificate_id", "issued_at", "id"),
        Index(f"{COPY}_notification", "notification_hash"),
        Index(f"{COPY}_ended", "position", postgresql_where=text("ended_at IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    certificate_id: Mapped[str] = mapped_column(ForeignKey(f"{CERTIFICATE}.id"), info=NOT_PERSONAL)
    # Two copies that shared a place would be known for the same person's (Token Status List, 13.2).
    position: Mapped[int] = mapped_column(
        Integer, server_default=_NEXT_POSITION, unique=True, info=NOT_PERSONAL
    )
    # Which key signed it; None of copies from before that was kept.
    kid: Mapped[str | None] = mapped_column(String(64), info=NOT_PERSONAL)
    notification_hash: Mapped[bytes] = mapped_column(_HASH, info=NOT_PERSONAL)
    event: Mapped[Event | None] = mapped_column(words(Event, length=32), info=NOT_PERSONAL)
    issued_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class WalletNonce(Base):
    """A nonce that was used; it is not good a second time."""

    __tablename__ = NONCE

    nonce_hash: Mapped[bytes] = mapped_column(_HASH, primary_key=True, info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)
