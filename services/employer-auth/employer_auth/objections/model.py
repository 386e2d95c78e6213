"""What is kept of objections: the codes sent, what was sent in, and what became of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from employer_auth.accounts.model import TIME, Unit
from employer_auth.objections.rules import OPEN, Cause, ObjectionState
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.personal import Personal
from servicekit.vault import BlindIndex

_OPEN = text("state IN ({})".format(", ".join(f"'{state.value}'" for state in OPEN)))


class ObjectionSecret(Personal):
    """An objection code; only a keyed hash of it is stored."""

    @classmethod
    def mask_of(cls, clear: str) -> str:
        return "***"


class ObjectionCode(Base):
    """A code for a unit's legal representative: asked for, then made and sent by a job."""

    __tablename__ = "objection_code"
    __table_args__ = (
        Index("objection_code_unsent", "asked_at", postgresql_where=text("sent_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), index=True, info=NOT_PERSONAL)
    cause: Mapped[Cause] = mapped_column(words(Cause), info=NOT_PERSONAL)
    code_hash: Mapped[bytes | None] = mapped_column(
        BlindIndex("objection_code.code"), unique=True, info=PERSONAL
    )
    asked_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    sent_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    expires_at: Mapped[datetime | None] = mapped_column(TIME, index=True, info=NOT_PERSONAL)
    used_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)


class ObjectionAttempt(Base):
    """What somebody sent in, right or wrong, until the job has looked at it."""

    __tablename__ = "objection_attempt"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    uscc: Mapped[str] = mapped_column(String(18), info=NOT_PERSONAL)
    code_hash: Mapped[bytes] = mapped_column(BlindIndex("objection_code.code"), info=PERSONAL)
    at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)


class Objection(Base):
    """An objection that counts: the unit is frozen until an officer lifts it."""

    __tablename__ = "objection"
    __table_args__ = (
        Index("one_open_objection", "unit_id", unique=True, postgresql_where=_OPEN),
        Index("objection_queue", "due_on", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), info=NOT_PERSONAL)
    code_id: Mapped[str] = mapped_column(ForeignKey("objection_code.id"), info=NOT_PERSONAL)
    cause: Mapped[Cause] = mapped_column(words(Cause), info=NOT_PERSONAL)
    state: Mapped[ObjectionState] = mapped_column(words(ObjectionState), info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(default=1, info=NOT_PERSONAL)
    filed_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    due_on: Mapped[date] = mapped_column(Date, info=NOT_PERSONAL)
    decided_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    decided_by: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    reason: Mapped[str | None] = mapped_column(String(1000), info=PERSONAL)

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id], viewonly=True, lazy="joined")

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
