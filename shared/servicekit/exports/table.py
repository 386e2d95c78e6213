"""The row of an export: who asked for what and why, how far it is, and until when it is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import DateTime, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from servicekit.columns import NOT_PERSONAL, PERSONAL, new_id, words
from servicekit.exports.rules import OPEN, ExportState, Failure

_TIME = DateTime(timezone=True)
ONE_OPEN: Final = "one_open_export_per_officer"


class ExportColumns:
    """One export; mix into a table named ``export``. Its bytes lie in the storage, sealed.

    ``attempt`` fences off a worker that was thought dead; ``parts`` is in how many objects the
    file of an attempt lies.
    """

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    business: Mapped[str] = mapped_column(String(120), info=NOT_PERSONAL)
    requested_by: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    region: Mapped[str] = mapped_column(String(12), info=NOT_PERSONAL)
    purpose: Mapped[str] = mapped_column(String(200), info=PERSONAL)
    filters: Mapped[dict[str, Any]] = mapped_column(JSONB, info=NOT_PERSONAL)
    state: Mapped[ExportState] = mapped_column(words(ExportState), info=NOT_PERSONAL)
    failure: Mapped[Failure | None] = mapped_column(words(Failure, 24), info=NOT_PERSONAL)
    requested_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    finished_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    expires_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    deleted_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    attempt: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
    leased_until: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    rows: Mapped[int | None] = mapped_column(info=NOT_PERSONAL)
    size: Mapped[int | None] = mapped_column(info=NOT_PERSONAL)
    parts: Mapped[int] = mapped_column(default=0, info=NOT_PERSONAL)
    sha256: Mapped[str | None] = mapped_column(String(64), info=NOT_PERSONAL)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        open_ = text("state IN ({})".format(", ".join(f"'{state.value}'" for state in OPEN)))
        kept = text("deleted_at IS NULL")
        return (
            Index(ONE_OPEN, "requested_by", unique=True, postgresql_where=open_),
            Index("export_own", "requested_by", "requested_at", "id"),
            Index("export_kept", "expires_at", postgresql_where=kept),
        )

    @property
    def file_name(self) -> str:
        """What a browser saves it as."""
        return f"{self.business.rpartition('.')[2]}-{self.id[-8:]}.xlsx"
