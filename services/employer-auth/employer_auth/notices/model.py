"""What is kept of a notice; its words, which may hold a secret code, only until it is taken."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from employer_auth.accounts.model import TIME
from employer_auth.notices.rules import NoticeState, To
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id
from servicekit.db import words as stored
from servicekit.personal import PersonalText
from servicekit.vault import Sealed


class PendingNotice(Base):
    """One thing to be told to one account; its id is the Idempotency-Key at identity."""

    __tablename__ = "pending_notice"
    __table_args__ = (
        Index("pending_notice_due", "due_at", postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    to: Mapped[To] = mapped_column(stored(To, 24), info=NOT_PERSONAL)
    template: Mapped[str] = mapped_column(String(60), info=NOT_PERSONAL)
    words: Mapped[PersonalText | None] = mapped_column(
        Sealed(PersonalText, "pending_notice.words"), info=PERSONAL
    )
    state: Mapped[NoticeState] = mapped_column(stored(NoticeState), info=NOT_PERSONAL)
    tries: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    due_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(TIME, index=True, info=NOT_PERSONAL)
