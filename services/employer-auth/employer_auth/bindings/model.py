"""What is kept of a binding: one row from invitation to end; its version counts every change."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from employer_auth.accounts.model import TIME, Unit
from employer_auth.bindings.rules import LIVE, BindingState, Ender
from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.personal import Personal, PersonName
from servicekit.vault import Sealed

ONE_LIVE = "one_live_binding"
_LIVE = "state IN ({})".format(", ".join(f"'{state.value}'" for state in LIVE))


class LoginName(Personal):
    """A login name; people put their names and years of birth into it."""


class Binding(Base):
    """A person acts, or is asked to act, for a unit; through an agency where ``via`` names one."""

    __tablename__ = "binding"
    __table_args__ = (
        Index(
            ONE_LIVE,
            "unit_id",
            "person_id",
            unique=True,
            postgresql_where=text(f"{_LIVE} AND via IS NULL"),
        ),
        Index(
            f"{ONE_LIVE}_per_agency",
            "unit_id",
            "person_id",
            "via",
            unique=True,
            postgresql_where=text(f"{_LIVE} AND via IS NOT NULL"),
        ),
        Index("binding_of_unit", "unit_id", "created_at", "id"),
        Index("binding_of_person", "person_id", "created_at", "id"),
        Index("binding_invited", "expires_at", postgresql_where=text("state = 'invited'")),
        Index("binding_ending", "valid_until", postgresql_where=text(_LIVE)),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), info=NOT_PERSONAL)
    person_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    via: Mapped[str | None] = mapped_column(ForeignKey("unit.id"), index=True, info=NOT_PERSONAL)
    entrustment_id: Mapped[str | None] = mapped_column(String(36), index=True, info=NOT_PERSONAL)
    agency_binding_id: Mapped[str | None] = mapped_column(
        ForeignKey("binding.id"), index=True, info=NOT_PERSONAL
    )
    state: Mapped[BindingState] = mapped_column(words(BindingState), info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(default=1, info=NOT_PERSONAL)
    person_name: Mapped[PersonName] = mapped_column(
        Sealed(PersonName, "binding.person_name"), info=PERSONAL
    )
    login_name: Mapped[LoginName] = mapped_column(
        Sealed(LoginName, "binding.login_name"), info=PERSONAL
    )
    valid_until: Mapped[date | None] = mapped_column(Date, info=NOT_PERSONAL)
    suspended_for: Mapped[list[str]] = mapped_column(JSONB, default=list, info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(TIME, info=NOT_PERSONAL)
    bound_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(TIME, info=NOT_PERSONAL)
    ended_by: Mapped[Ender | None] = mapped_column(words(Ender), info=NOT_PERSONAL)
    changed_at: Mapped[datetime] = mapped_column(TIME, index=True, info=NOT_PERSONAL)

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id], lazy="joined", viewonly=True)
    agency: Mapped[Unit | None] = relationship(foreign_keys=[via], lazy="joined", viewonly=True)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


class BindingEntry(Base):
    """An entry of the kit's chained history, read as a row; ``application_id`` is the binding."""

    __table__ = Base.metadata.tables["application_history"]

    id: Mapped[str]
    application_id: Mapped[str]
    at: Mapped[datetime]
