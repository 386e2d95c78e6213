"""What is kept of an application for codes, of each unit's case in it, and of what came of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from employer_auth.accounts.model import TIME, Unit
from employer_auth.authorisation_codes.rules import OPEN, Channel
from employer_auth.bindings.model import Binding
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.personal import Personal
from servicekit.reviewing import Reviewed
from servicekit.vault import BlindIndex

ONE_OPEN = "one_open_authorisation_case"
ONE_LIVE = "one_live_authorisation"
_OPEN = text("state IN ({})".format(", ".join(f"'{state.value}'" for state in OPEN)))


class SecretCode(Personal):
    """An authorisation code; nothing of it is shown, and only a keyed hash of it is stored."""

    @classmethod
    def mask_of(cls, clear: str) -> str:
        return "***"


class AuthorisationApplication(Base):
    """申请单位授权码: one number, one agent, one or more units."""

    __tablename__ = "authorisation_application"
    __table_args__ = (Index("authorisation_application_own", "applicant_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    number: Mapped[str | None] = mapped_column(String(40), unique=True, info=NOT_PERSONAL)
    applicant_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    filed_by: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    channel: Mapped[Channel] = mapped_column(words(Channel), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    updated_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    submitted_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(default=1, info=NOT_PERSONAL)

    cases: Mapped[list[AuthorisationCase]] = relationship(
        order_by="AuthorisationCase.position",
        back_populates="application",
        cascade="all, delete-orphan",
        lazy="selectin",
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own


class AuthorisationCase(Reviewed, Base):
    """One unit of an application; its ``applicant_id`` is the agent."""

    __tablename__ = "authorisation_case"
    __table_args__ = (
        Index(ONE_OPEN, "applicant_id", "unit_id", unique=True, postgresql_where=_OPEN),
        Index("ix_authorisation_case_applicant_id", "applicant_id"),
        Index("authorisation_case_queue", "due_order", "id"),
        Index(
            "authorisation_case_region",
            "state",
            "region",
            "due_order",
            "id",
            postgresql_ops={"region": "varchar_pattern_ops"},
        ),
    )

    application_id: Mapped[str] = mapped_column(
        ForeignKey("authorisation_application.id"), index=True, info=NOT_PERSONAL
    )
    position: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), index=True, info=NOT_PERSONAL)
    binding_id: Mapped[str] = mapped_column(ForeignKey("binding.id"), info=NOT_PERSONAL)
    accepted_by: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    code_hash: Mapped[bytes | None] = mapped_column(
        BlindIndex("authorisation_case.code"), unique=True, info=PERSONAL
    )
    code_sent_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    code_expires_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    redeemed_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)

    application: Mapped[AuthorisationApplication] = relationship(
        back_populates="cases", lazy="joined"
    )
    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id], viewonly=True, lazy="joined")
    binding: Mapped[Binding] = relationship(foreign_keys=[binding_id], viewonly=True)


class Authorisation(Base):
    """授权码实名: that a binding's person has proved to the agency that they act for the unit."""

    __tablename__ = "authorisation"
    __table_args__ = (
        Index(ONE_LIVE, "binding_id", unique=True, postgresql_where=text("revoked_at IS NULL")),
        Index("authorisation_of_unit", "unit_id", "authorised_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    binding_id: Mapped[str] = mapped_column(ForeignKey("binding.id"), info=NOT_PERSONAL)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), info=NOT_PERSONAL)
    person_id: Mapped[str] = mapped_column(String(80), index=True, info=NOT_PERSONAL)
    case_id: Mapped[str] = mapped_column(
        ForeignKey("authorisation_case.id"), unique=True, info=NOT_PERSONAL
    )
    channel: Mapped[Channel] = mapped_column(words(Channel), info=NOT_PERSONAL)
    authorised_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    revoked_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    revoked_by: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    revoke_reason: Mapped[str | None] = mapped_column(String(500), info=PERSONAL)
