"""Reviewed cases, their photographs, and the codes by which an old phone stops a recovery."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, String, and_, text
from sqlalchemy.orm import Mapped, declared_attr, foreign, mapped_column, relationship

from identity.recovery.rules import Goal, Matter, Side
from identity.tables import Base
from servicekit.db import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.personal import DocumentNumber, MobileNumber, PersonalText, PersonName
from servicekit.reviewing import Reviewed
from servicekit.upload_table import SHOWN, UploadColumns
from servicekit.vault import Sealed

_TIME = DateTime(timezone=True)
_TO_WARN = text("number IS NOT NULL AND warned_at IS NULL")


class Upload(UploadColumns, Base):
    """A photograph of a document; its owner is the case."""

    __tablename__ = "upload"


def _table(mapped: type) -> str:
    return str(mapped.__tablename__)  # type: ignore[attr-defined]


class Case(Reviewed):
    """What both kinds of cases have; the applicant is a visitor, so ``applicant_id`` says so."""

    goal: Mapped[Goal] = mapped_column(words(Goal), info=NOT_PERSONAL)
    # Keyed; whoever has it and the number sees the state and may correct.
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(16), info=NOT_PERSONAL)

    # The version of 证件照片处理单独同意书 that was read with the photographs (个人信息保护法 29).
    photos_consent: Mapped[str | None] = mapped_column(String(20), info=NOT_PERSONAL)
    photos_consented_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    photos_withdrawn_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    # When whoever holds the account so far was told; by a job, so that filing costs the same
    # whether or not there is an account.
    warned_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)

    @declared_attr
    @classmethod
    def contact_name(cls) -> Mapped[PersonName]:
        """The person's own, or the agent's."""
        return mapped_column(Sealed(PersonName, f"{_table(cls)}.contact_name"), info=PERSONAL)

    @declared_attr
    @classmethod
    def contact_phone(cls) -> Mapped[MobileNumber]:
        """It showed a code before the case was opened."""
        return mapped_column(Sealed(MobileNumber, f"{_table(cls)}.contact_phone"), info=PERSONAL)

    @declared_attr
    @classmethod
    def account_id(cls) -> Mapped[str | None]:
        """Whose account it is about; empty when what was typed matches nobody."""
        return mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)

    @declared_attr
    @classmethod
    def files(cls) -> Mapped[list[Upload]]:
        """The photographs it was filed with."""
        return relationship(
            Upload,
            primaryjoin=lambda: and_(foreign(Upload.subject_id) == cls.id, Upload.state.in_(SHOWN)),
            order_by=(Upload.created_at, Upload.id),
            viewonly=True,
        )

    @property
    def is_matched(self) -> bool:
        """Is there an account behind it? Only officers see this."""
        return self.account_id is not None


class PersonRecovery(Case, Base):
    """A person who shows photographs of the document (ID-11, ID-12)."""

    __tablename__ = "person_recovery"
    __table_args__ = (
        Index("ix_person_recovery_applicant_id", "applicant_id"),
        Index("person_recovery_queue", "due_order", "id"),
        Index("person_recovery_to_warn", "id", postgresql_where=_TO_WARN),
    )

    document_type: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    document_number: Mapped[DocumentNumber] = mapped_column(
        Sealed(DocumentNumber, "person_recovery.document_number"), info=PERSONAL
    )
    login_name: Mapped[PersonalText | None] = mapped_column(
        Sealed(PersonalText, "person_recovery.login_name"), info=PERSONAL
    )

    @property
    def matter(self) -> Matter:
        """Which of the four it is."""
        return Matter(Side.PERSON, self.goal)


class UnitRecovery(Case, Base):
    """A unit whose agent shows its documents (ID-13, ID-14); two officers decide."""

    __tablename__ = "unit_recovery"
    __table_args__ = (
        Index("ix_unit_recovery_applicant_id", "applicant_id"),
        Index("unit_recovery_queue", "due_order", "id"),
        Index("unit_recovery_to_warn", "id", postgresql_where=_TO_WARN),
    )

    certificate_number: Mapped[str] = mapped_column(String(18), info=NOT_PERSONAL)
    unit_name: Mapped[str] = mapped_column(String(200), info=NOT_PERSONAL)
    endorsed_by: Mapped[str | None] = mapped_column(String(36), info=NOT_PERSONAL)
    endorsed_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)

    @property
    def matter(self) -> Matter:
        """Which of the four it is."""
        return Matter(Side.UNIT, self.goal)


class RecoveryStop(Base):
    """What was sent to the old phone: whoever holds it can stop or undo a recovery."""

    __tablename__ = "recovery_stop"
    __table_args__ = (
        Index(
            "recovery_stop_open",
            "code_hash",
            unique=True,
            postgresql_where=text("used_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), info=NOT_PERSONAL)
    case_id: Mapped[str | None] = mapped_column(String(36), index=True, info=NOT_PERSONAL)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(16), info=NOT_PERSONAL)
    # The phone the account had before, where the recovery took another in its place.
    old_phone: Mapped[MobileNumber | None] = mapped_column(
        Sealed(MobileNumber, "recovery_stop.old_phone"), info=PERSONAL
    )
    expires_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    used_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
