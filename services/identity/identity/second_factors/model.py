"""Authenticators, recovery codes and passkeys, each of one account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id
from servicekit.personal import PersonalText
from servicekit.vault import Sealed

_TIME = DateTime(timezone=True)


class Authenticator(Base):
    """A TOTP secret; it counts once its owner has shown a code of it."""

    __tablename__ = "authenticator"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id"), primary_key=True, info=NOT_PERSONAL
    )
    secret: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "authenticator.secret"), info=PERSONAL
    )
    # The last time step that was used: a code seen over a shoulder opens nothing.
    step: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    confirmed_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class RecoveryCode(Base):
    """A way in without the telephone, once."""

    __tablename__ = "recovery_code"
    __table_args__ = (
        Index(
            "recovery_code_open",
            "account_id",
            "code_hash",
            postgresql_where=text("used_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    # Keyed, and 49 random bits: it needs no stretching.
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(16), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    used_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class Passkey(Base):
    """A WebAuthn credential of an account (通行密钥)."""

    __tablename__ = "passkey"
    __table_args__ = (Index("passkey_of_account", "account_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True, info=NOT_PERSONAL)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(), info=NOT_PERSONAL)
    sign_count: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    label: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "passkey.label"), info=PERSONAL
    )
    backed_up: Mapped[bool] = mapped_column(info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    last_used_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class PasskeyChallenge(Base):
    """What a passkey is asked to sign: once, within minutes, for one purpose."""

    __tablename__ = "passkey_challenge"

    challenge: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True, info=NOT_PERSONAL)
    # Empty when nobody is signed in yet.
    account_id: Mapped[str | None] = mapped_column(String(36), info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)
