"""What is kept of an application, and of the certificate it led to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Identity, Index, Integer, String, and_, or_, text
from sqlalchemy.orm import Mapped, declared_attr, foreign, mapped_column, relationship

from employment_registry.certificate.rules import Cause, Kind, Validity
from employment_registry.person_columns import (
    PersonApplication,
    PersonColumns,
    alike_indexes,
    only_one,
    while_open,
)
from employment_registry.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.key_rings import KeyColumns
from servicekit.queues import queue_indexes
from servicekit.teamwork.reviews import team_arguments

APPLICATION = "certificate_application"
CERTIFICATE = "certificate"
ONE_OPEN = "one_open_certificate_application"
ONE_VALID = "one_valid_certificate"
_TIME = DateTime(timezone=True)
_VALID = text("validity = 'valid'")


class CertificateKey(KeyColumns, Base):
    """What certificates are signed with; the private half is sealed."""

    __tablename__ = "certificate_key"


class CertificateApplication(PersonApplication, Base):
    """One 申领 or 补换."""

    __tablename__ = APPLICATION
    __table_args__ = (
        *only_one(ONE_OPEN, while_open()),
        *team_arguments(APPLICATION),
        Index(f"{APPLICATION}_own", "applicant_id", "created_at", "id"),
        *queue_indexes(APPLICATION),
        *alike_indexes(APPLICATION),
    )

    kind: Mapped[Kind] = mapped_column(words(Kind), info=NOT_PERSONAL)
    cause: Mapped[Cause | None] = mapped_column(words(Cause), info=NOT_PERSONAL)
    explanation: Mapped[str | None] = mapped_column(String(500), info=PERSONAL)
    service_place: Mapped[str | None] = mapped_column(String(12), info=NOT_PERSONAL)
    # Of the person or of the account: accounts put together may have had two documents (ID-05).
    valid_certificates: Mapped[list[Certificate]] = relationship(
        primaryjoin=lambda: and_(
            or_(
                foreign(Certificate.person_key) == CertificateApplication.person_key,
                foreign(Certificate.applicant_id) == CertificateApplication.applicant_id,
            ),
            Certificate.validity == Validity.VALID,
        ),
        viewonly=True,
    )
    # Asked for by its owner's list alone, a handful of lines.
    issued: Mapped[Certificate | None] = relationship(viewonly=True)

    @property
    def in_force(self) -> Certificate | None:
        """What a replacement would replace, the same document's first; officers compare both."""
        own_first = sorted(self.valid_certificates, key=lambda c: c.person_key != self.person_key)
        return own_first[0] if own_first else None

    @property
    def can_be_replaced(self) -> bool:
        """Did it lead to the certificate that is valid (CRT-05)?"""
        return self.issued is not None and self.issued.can_be_replaced


class Certificate(PersonColumns, Base):
    """A certificate that was issued; ``position`` is its place in the public status list."""

    __tablename__ = CERTIFICATE
    __table_args__ = (
        *only_one(ONE_VALID, _VALID),
        Index(f"{CERTIFICATE}_own", "applicant_id", "issued_at", "id"),
        Index(f"{CERTIFICATE}_number", "number"),
        Index(f"{CERTIFICATE}_person", "person_key"),
        Index(f"{CERTIFICATE}_ended", "position", postgresql_where=text("validity <> 'valid'")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    applicant_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    # Who knows a certificate's code may verify it; the number alone can be guessed.
    code: Mapped[str] = mapped_column(String(32), unique=True, info=NOT_PERSONAL)
    number: Mapped[str] = mapped_column(String(20), info=NOT_PERSONAL)
    position: Mapped[int] = mapped_column(
        Integer, Identity(always=True, start=0, minvalue=0), unique=True, info=NOT_PERSONAL
    )
    validity: Mapped[Validity] = mapped_column(words(Validity), info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    region: Mapped[str] = mapped_column(String(12), info=NOT_PERSONAL)
    application_id: Mapped[str | None] = mapped_column(
        ForeignKey(f"{APPLICATION}.id"), unique=True, info=NOT_PERSONAL
    )
    issued_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    ended_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)

    @property
    def can_be_replaced(self) -> bool:
        """Only the valid one is (CRT-05)."""
        return self.validity is Validity.VALID

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
