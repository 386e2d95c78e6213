"""Clients, what people consented to, and what waits to be told them; secrets hashed or sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id
from servicekit.personal import PersonalText
from servicekit.vault import Sealed

_TIME = DateTime(timezone=True)
_JSON = JSONB(none_as_null=True)


class Client(Base):
    """A program that people sign in to or that asks by itself: ours, or another system's."""

    __tablename__ = "oauth_client"

    client_id: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    name: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    # SHA-256 suffices: the secret is 32 random bytes, not something a person made up.
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), info=NOT_PERSONAL)
    # The secret before the last change, for the hours a system needs to take the new one.
    former_secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), info=NOT_PERSONAL)
    former_secret_until: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text), info=NOT_PERSONAL)
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text), info=NOT_PERSONAL)
    backchannel_logout_uri: Mapped[str | None] = mapped_column(Text, info=NOT_PERSONAL)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(40)), info=NOT_PERSONAL)
    grant_types: Mapped[list[str]] = mapped_column(ARRAY(String(80)), info=NOT_PERSONAL)
    auth_methods: Mapped[list[str]] = mapped_column(ARRAY(String(40)), info=NOT_PERSONAL)
    jwks: Mapped[dict[str, Any] | None] = mapped_column(_JSON, info=NOT_PERSONAL)
    jwks_uri: Mapped[str | None] = mapped_column(Text, info=NOT_PERSONAL)
    id_token_alg: Mapped[str] = mapped_column(String(10), info=NOT_PERSONAL)
    # The host pairwise subjects are made for; without one the subject is the account's id.
    sector: Mapped[str | None] = mapped_column(String(200), info=NOT_PERSONAL)
    needs_consent: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)
    requires_par: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)
    requires_dpop: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)
    introspects: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)
    suspended_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    updated_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(default=1, info=NOT_PERSONAL)


class ClientChange(Base):
    """Who registered or changed a client, when, and what it was then; no secret is in it."""

    __tablename__ = "oauth_client_change"
    __table_args__ = (Index("oauth_client_change_of_client", "client_id", "at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    client_id: Mapped[str] = mapped_column(ForeignKey("oauth_client.client_id"), info=NOT_PERSONAL)
    at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    actor_id: Mapped[str] = mapped_column(String(36), info=NOT_PERSONAL)
    change: Mapped[str] = mapped_column(String(24), info=NOT_PERSONAL)
    values: Mapped[dict[str, Any]] = mapped_column(JSONB, info=NOT_PERSONAL)


class Consent(Base):
    """What a person let another system know; remembered until it is withdrawn."""

    __tablename__ = "oauth_consent"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id"), primary_key=True, info=NOT_PERSONAL
    )
    client_id: Mapped[str] = mapped_column(
        ForeignKey("oauth_client.client_id"), primary_key=True, info=NOT_PERSONAL
    )
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(40)), info=NOT_PERSONAL)
    given_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    withdrawn_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class PushedRequest(Base):
    """An authorization request a client brought itself (RFC 9126), waiting for its browser."""

    __tablename__ = "pushed_request"

    reference_hash: Mapped[bytes] = mapped_column(
        LargeBinary(32), primary_key=True, info=NOT_PERSONAL
    )
    client_id: Mapped[str] = mapped_column(ForeignKey("oauth_client.client_id"), info=NOT_PERSONAL)
    parameters: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "pushed_request.parameters"), info=PERSONAL
    )
    dpop_thumbprint: Mapped[str | None] = mapped_column(String(64), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    arrived_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    used_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)


class UsedTokenId(Base):
    """A ``jti`` that may not come twice: of mandates, DPoP proofs, client assertions."""

    __tablename__ = "used_token_id"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True, info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)


class KnownBinding(Base):
    """The newest version of a binding that employer-auth told us of."""

    __tablename__ = "known_binding"

    binding_id: Mapped[str] = mapped_column(String(36), primary_key=True, info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    state: Mapped[str] = mapped_column(String(16), info=NOT_PERSONAL)
    told_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)


class LogoutNotice(Base):
    """A client to be told that a session ended (OpenID Connect Back-Channel Logout 1.0)."""

    __tablename__ = "logout_notice"
    __table_args__ = (
        Index("logout_notice_waiting", "due_at", postgresql_where=text("finished_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    client_id: Mapped[str] = mapped_column(ForeignKey("oauth_client.client_id"), info=NOT_PERSONAL)
    session_id: Mapped[str] = mapped_column(String(36), index=True, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(String(36), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    due_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    tries: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
    result: Mapped[str | None] = mapped_column(String(40), info=NOT_PERSONAL)
    finished_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
