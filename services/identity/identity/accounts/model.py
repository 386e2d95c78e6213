"""Accounts, the persons behind them, and the agreements they accepted."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from identity.accounts.rules import Kind, Standing
from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.personal import (
    DocumentNumber,
    EmailAddress,
    MobileNumber,
    Personal,
    PersonalText,
    PersonName,
)
from servicekit.vault import BlindIndex, Sealed


class LoginName(Personal):
    """A login name; people put their names and years of birth into it."""


class BirthDate(Personal):
    """A date of birth, as ISO text."""

    @classmethod
    def mask_of(cls, clear: str) -> str:
        return "****-**-**"


class Account(Base):
    """Who may sign in: a person, a unit or an officer."""

    __tablename__ = "account"
    # The names are what the refusals are found by when two registrations meet in the database.
    __table_args__ = (
        Index("account_login_name_once", "login_name_index", unique=True),
        CheckConstraint("kind <> 'unit' OR level >= 2", name="account_unit_scale"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    kind: Mapped[Kind] = mapped_column(words(Kind), info=NOT_PERSONAL)
    standing: Mapped[Standing] = mapped_column(words(Standing), info=NOT_PERSONAL)
    login_name: Mapped[LoginName] = mapped_column(
        Sealed(LoginName, "account.login_name"), info=PERSONAL
    )
    login_name_index: Mapped[LoginName] = mapped_column(
        BlindIndex("account.login_name"), info=PERSONAL
    )
    password_hash: Mapped[str] = mapped_column(String(200), info=NOT_PERSONAL)
    password_changed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), info=NOT_PERSONAL
    )
    must_change_password: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)
    phone: Mapped[MobileNumber] = mapped_column(
        Sealed(MobileNumber, "account.phone"), info=PERSONAL
    )
    phone_index: Mapped[MobileNumber] = mapped_column(
        BlindIndex("account.phone"), index=True, info=PERSONAL
    )
    email: Mapped[EmailAddress | None] = mapped_column(
        Sealed(EmailAddress, "account.email"), info=PERSONAL
    )
    # Of a person on HRSS's scale (一/二/三级); of a unit on the province's: 2 (not verified),
    # 3 (原L1), 4 (原L2), 5 (原L3). Ask for the scale you mean: the two are never compared.
    level: Mapped[int] = mapped_column(default=1, info=NOT_PERSONAL)
    # Of a unit: what it registered by; every token of it says so (ID-26).
    certificate_type: Mapped[str | None] = mapped_column(String(20), info=NOT_PERSONAL)
    # Of a unit: since when an objection stands against whoever has the account (EA-12).
    frozen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(default=1, info=NOT_PERSONAL)

    person: Mapped[Person | None] = relationship(lazy="joined", innerjoin=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads the class

    @property
    def hrss_level(self) -> int:
        """一, 二 or 三级; 0 for whoever is no person."""
        return self.level if self.kind is Kind.PERSON else 0

    @property
    def province_level(self) -> int:
        """2 to 5; 0 for whoever is no unit."""
        return self.level if self.kind is Kind.UNIT else 0


class Person(Base):
    """The natural person of a personal account, as the document says."""

    __tablename__ = "person"
    # ID-04; accounts that were migrated twice (ID-05) are marked and wait for an admin.
    __table_args__ = (
        Index(
            "person_document_once",
            "document_index",
            unique=True,
            postgresql_where=text("NOT migrated_twice"),
        ),
    )

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id"), primary_key=True, info=NOT_PERSONAL
    )
    name: Mapped[PersonName] = mapped_column(Sealed(PersonName, "person.name"), info=PERSONAL)
    document_type: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    document_number: Mapped[DocumentNumber] = mapped_column(
        Sealed(DocumentNumber, "person.document_number"), info=PERSONAL
    )
    document_index: Mapped[DocumentNumber] = mapped_column(
        BlindIndex("person.document_number"), info=PERSONAL
    )
    birth_date: Mapped[BirthDate] = mapped_column(
        Sealed(BirthDate, "person.birth_date"), info=PERSONAL
    )
    sex: Mapped[PersonalText] = mapped_column(Sealed(PersonalText, "person.sex"), info=PERSONAL)
    # Name and birth together: the same person may stand behind another document (AL-12).
    likeness_index: Mapped[PersonalText | None] = mapped_column(
        BlindIndex("person.likeness"), index=True, info=PERSONAL
    )
    migrated_twice: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)

    def born(self) -> date:
        """The date itself."""
        return date.fromisoformat(self.birth_date.expose())


class Acceptance(Base):
    """An agreement in one version, accepted by one account."""

    __tablename__ = "agreement_acceptance"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id"), primary_key=True, info=NOT_PERSONAL
    )
    agreement: Mapped[str] = mapped_column(String(40), primary_key=True, info=NOT_PERSONAL)
    version: Mapped[str] = mapped_column(String(20), primary_key=True, info=NOT_PERSONAL)
    accepted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    withdrawn_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), info=NOT_PERSONAL
    )
