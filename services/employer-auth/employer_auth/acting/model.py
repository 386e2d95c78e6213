"""The keys mandates are signed with; the private half is sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from employer_auth.accounts.model import TIME
from employer_auth.acting.rules import KeyPhase
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, words
from servicekit.personal import PersonalText
from servicekit.vault import Sealed


class MandateKey(Base):
    """next → active → retired → gone."""

    __tablename__ = "mandate_key"
    __table_args__ = (
        Index(
            "mandate_key_one_per_phase",
            "phase",
            unique=True,
            postgresql_where=text("phase IN ('next', 'active')"),
        ),
    )

    kid: Mapped[str] = mapped_column(String(64), primary_key=True, info=NOT_PERSONAL)
    phase: Mapped[KeyPhase] = mapped_column(words(KeyPhase), info=NOT_PERSONAL)
    public: Mapped[dict[str, Any]] = mapped_column(JSONB, info=NOT_PERSONAL)
    private: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "mandate_key.private"), info=PERSONAL
    )
    created_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    activated_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    retired_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
