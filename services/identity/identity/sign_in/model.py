"""Keys, sessions, codes and refresh tokens; every secret hashed or sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from identity.login_history.rules import Way
from identity.sign_in.rules import Stage
from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.key_rings import KeyColumns
from servicekit.personal import PersonalText
from servicekit.vault import Sealed

_TIME = DateTime(timezone=True)
_ACTING = JSONB(none_as_null=True)  # identity.sign_in.acting.Acting: ids and permissions


class SigningKey(KeyColumns, Base):
    """A key of the provider: next → active → retired; the private half is sealed."""

    __tablename__ = "signing_key"


class SignInSession(Base):
    """One login on one device; ends after thirty idle minutes or twelve hours."""

    __tablename__ = "sign_in_session"
    __table_args__ = (
        Index("sign_in_session_of_account", "account_id", "created_at"),
        Index("sign_in_session_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True, info=NOT_PERSONAL)
    amr: Mapped[list[str]] = mapped_column(ARRAY(String(16)), info=NOT_PERSONAL)
    device: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "sign_in_session.device"), info=PERSONAL
    )
    address: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "sign_in_session.address"), info=PERSONAL
    )
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    authenticated_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    last_seen_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    end_reason: Mapped[str | None] = mapped_column(String(32), info=NOT_PERSONAL)
    # The unit the person chose to act for in this login (ID-41).
    acting: Mapped[dict[str, Any] | None] = mapped_column(_ACTING, info=NOT_PERSONAL)


class SecondStep(Base):
    """A password was right and something more is owed; nobody is signed in yet."""

    __tablename__ = "sign_in_second_step"

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    stage: Mapped[Stage] = mapped_column(words(Stage), info=NOT_PERSONAL)
    way: Mapped[Way] = mapped_column(words(Way, 24), info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    tries: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)


class AuthorizationCode(Base):
    """A code on its way through the browser: sixty seconds, one use, one verifier."""

    __tablename__ = "authorization_code"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True, info=NOT_PERSONAL)
    client_id: Mapped[str] = mapped_column(ForeignKey("oauth_client.client_id"), info=NOT_PERSONAL)
    session_id: Mapped[str] = mapped_column(ForeignKey("sign_in_session.id"), info=NOT_PERSONAL)
    family_id: Mapped[str] = mapped_column(String(36), default=new_id, info=NOT_PERSONAL)
    redirect_uri: Mapped[str] = mapped_column(Text, info=NOT_PERSONAL)
    scope: Mapped[str] = mapped_column(String(400), info=NOT_PERSONAL)
    nonce: Mapped[str | None] = mapped_column(String(400), info=NOT_PERSONAL)
    code_challenge: Mapped[str] = mapped_column(String(128), info=NOT_PERSONAL)
    acting: Mapped[dict[str, Any] | None] = mapped_column(_ACTING, info=NOT_PERSONAL)
    # RFC 9449, 10: the key the tokens will be bound to, where the client said so beforehand.
    dpop_thumbprint: Mapped[str | None] = mapped_column(String(64), info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)
    used_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class RefreshToken(Base):
    """One link of a refresh chain; the chain is a family, and reuse ends all of it."""

    __tablename__ = "refresh_token"
    __table_args__ = (
        Index("refresh_token_of_family", "family_id"),
        Index("refresh_token_of_session", "session_id"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True, info=NOT_PERSONAL)
    family_id: Mapped[str] = mapped_column(String(36), info=NOT_PERSONAL)
    client_id: Mapped[str] = mapped_column(ForeignKey("oauth_client.client_id"), info=NOT_PERSONAL)
    session_id: Mapped[str] = mapped_column(ForeignKey("sign_in_session.id"), info=NOT_PERSONAL)
    scope: Mapped[str] = mapped_column(String(400), info=NOT_PERSONAL)
    acting: Mapped[dict[str, Any] | None] = mapped_column(_ACTING, info=NOT_PERSONAL)
    # A public client's refresh token is worth nothing without this key (RFC 9449, 5).
    dpop_thumbprint: Mapped[str | None] = mapped_column(String(64), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)
    used_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    successor: Mapped[PersonalText | None] = mapped_column(
        Sealed(PersonalText, "refresh_token.successor"), info=PERSONAL
    )
    revoked_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
