"""The evidence behind a level, and the challenges that lead to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from identity.tables import Base
from identity.verification.challenge_rules import Purpose, Stage
from identity.verification.rules import Scale
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.personal import PersonalText
from servicekit.vault import Sealed

_TIME = DateTime(timezone=True)


class Evidence(Base):
    """One successful check: who vouches, for how much, since when, until when (ID-06, ID-24)."""

    __tablename__ = "evidence"
    __table_args__ = (
        Index("evidence_of_account", "account_id", "verified_at"),
        Index(
            "evidence_to_lapse",
            "expires_at",
            postgresql_where=text("revoked_at IS NULL AND lapsed_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    channel: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    scale: Mapped[Scale] = mapped_column(words(Scale, 8), info=NOT_PERSONAL)
    level: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    provider: Mapped[str] = mapped_column(String(60), info=NOT_PERSONAL)
    reference: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    # What was proved, masked: enough to recognise it in a dispute, not to use it.
    masked: Mapped[PersonalText | None] = mapped_column(
        Sealed(PersonalText, "evidence.masked"), info=PERSONAL
    )
    # The hash of the raw answer settles a later dispute without keeping what was in it.
    answer_hash: Mapped[bytes] = mapped_column(LargeBinary(32), info=NOT_PERSONAL)
    recorded_by: Mapped[str | None] = mapped_column(String(36), info=NOT_PERSONAL)  # an officer
    verified_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    expires_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    revoked_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    revoked_for: Mapped[str | None] = mapped_column(String(200), info=NOT_PERSONAL)
    lapsed_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class Challenge(Base):
    """A proof under way: bound to the browser that began it, good for minutes, used once."""

    __tablename__ = "verification_challenge"
    __table_args__ = (Index("verification_challenge_by_handle", "handle_index"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32), info=NOT_PERSONAL)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    channel: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    kind: Mapped[str] = mapped_column(String(16), info=NOT_PERSONAL)
    purpose: Mapped[Purpose] = mapped_column(words(Purpose, 8), info=NOT_PERSONAL)
    stage: Mapped[Stage] = mapped_column(words(Stage, 10), info=NOT_PERSONAL)
    confirm: Mapped[str] = mapped_column(String(4), info=NOT_PERSONAL)
    # What the adapter needs to go on, as JSON; and the index a callback finds it by.
    handle: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "verification_challenge.handle"), info=PERSONAL
    )
    handle_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), info=NOT_PERSONAL)
    # Who was proved, as JSON, from the moment it is known until it is used.
    proof: Mapped[PersonalText | None] = mapped_column(
        Sealed(PersonalText, "verification_challenge.proof"), info=PERSONAL
    )
    return_to: Mapped[str | None] = mapped_column(Text, info=NOT_PERSONAL)
    failure: Mapped[str | None] = mapped_column(String(200), info=NOT_PERSONAL)
    tries: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    asked_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)


class ParkedRequest(Base):
    """What a person was sending when a higher level was asked for; kept until they are back."""

    __tablename__ = "parked_request"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True, info=NOT_PERSONAL)
    page: Mapped[str] = mapped_column(String(400), info=NOT_PERSONAL)
    content: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "parked_request.content"), info=PERSONAL
    )
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)
