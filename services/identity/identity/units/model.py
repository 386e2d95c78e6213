"""The unit behind an account, what it was called before, and registrations under way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from identity.accounts.model import Account
from identity.tables import Base
from identity.units.rules import CertificateKind
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.personal import DocumentNumber, MobileNumber, PersonalText, PersonName
from servicekit.vault import Sealed

_TIME = DateTime(timezone=True)
_KIND: Any = words(CertificateKind, 20)


class Unit(Base):
    """What a unit registered with (ID-21); certificate number and name are public."""

    __tablename__ = "unit"
    # ID-22: one number registers once; a cancelled unit's number is free again.
    __table_args__ = (
        Index(
            "unit_certificate_once",
            "certificate_number",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("unit_region", "region", postgresql_ops={"region": "text_pattern_ops"}),
    )

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id"), primary_key=True, info=NOT_PERSONAL
    )
    certificate_type: Mapped[CertificateKind] = mapped_column(_KIND, info=NOT_PERSONAL)
    certificate_number: Mapped[str] = mapped_column(String(18), info=NOT_PERSONAL)
    name: Mapped[str] = mapped_column(String(200), info=NOT_PERSONAL)
    region: Mapped[str] = mapped_column(String(12), info=NOT_PERSONAL)
    # A trader's shop is often the trader's home.
    address: Mapped[PersonalText] = mapped_column(
        Sealed(PersonalText, "unit.address"), info=PERSONAL
    )
    legal_name: Mapped[PersonName] = mapped_column(
        Sealed(PersonName, "unit.legal_name"), info=PERSONAL
    )
    legal_document_type: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    legal_document_number: Mapped[DocumentNumber] = mapped_column(
        Sealed(DocumentNumber, "unit.legal_document_number"), info=PERSONAL
    )
    legal_phone: Mapped[MobileNumber] = mapped_column(
        Sealed(MobileNumber, "unit.legal_phone"), info=PERSONAL
    )
    registered_by: Mapped[str] = mapped_column(String(36), index=True, info=NOT_PERSONAL)
    # Since when name and representative are what they are.
    named_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    closed_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(default=1, info=NOT_PERSONAL)

    account: Mapped[Account] = relationship(lazy="joined", innerjoin=True)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads the class


class FormerUnit(Base):
    """What a unit was called and who represented it, from when until when (ID-27)."""

    __tablename__ = "unit_former"
    __table_args__ = (Index("unit_former_of_unit", "account_id", "valid_until"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("unit.account_id"), info=NOT_PERSONAL)
    name: Mapped[str] = mapped_column(String(200), info=NOT_PERSONAL)
    legal_name: Mapped[PersonName] = mapped_column(
        Sealed(PersonName, "unit_former.legal_name"), info=PERSONAL
    )
    legal_document_number: Mapped[DocumentNumber] = mapped_column(
        Sealed(DocumentNumber, "unit_former.legal_document_number"), info=PERSONAL
    )
    valid_from: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    valid_until: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    # The base's own number of the check that allowed the change.
    reference: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    changed_by: Mapped[str] = mapped_column(String(36), info=NOT_PERSONAL)


class Registration(Base):
    """The ticket between the steps of a unit's registration (ID-20); its secret is hashed."""

    __tablename__ = "unit_registration"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), info=NOT_PERSONAL)
    person_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True, info=NOT_PERSONAL)
    # What was typed so far, without passwords and codes, so that nothing is typed twice.
    draft: Mapped[PersonalText | None] = mapped_column(
        Sealed(PersonalText, "unit_registration.draft"), info=PERSONAL
    )
    unit_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)
