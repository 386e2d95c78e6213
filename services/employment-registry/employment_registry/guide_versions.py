"""The texts of service guides (办事指南), version by version, and which one holds now.

A version is never rewritten (ER-10). What the guides show and check is ``guides``; the matters
look here for the version an application is filed under.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import DateTime, String, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from employment_registry.tables import Base
from servicekit.db import NOT_PERSONAL, forget, kept, new_id

KEPT_SECONDS: Final = 2.0  # how late another process may notice a new version
_KEPT: Final = "employment-registry.guides"


class GuideVersion(Base):
    """One version of the guide of one business.

    ``conditions`` are those the form checked when it was published; the newest version shows what
    the form checks now.
    """

    __tablename__ = "guide_version"
    __table_args__ = (UniqueConstraint("item", "version", name="guide_version_once"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    item: Mapped[str] = mapped_column(String(40), info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    title: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB, info=NOT_PERSONAL)
    conditions: Mapped[list[dict[str, str]]] = mapped_column(JSONB, info=NOT_PERSONAL)
    published_by: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)


def newest(db: Session) -> dict[str, GuideVersion]:
    """The newest version of every guide."""
    return kept(db, _KEPT, _read, seconds=KEPT_SECONDS)


def version_now(db: Session, item: str) -> int:
    """The version an application is filed under."""
    return newest(db)[item].version


def published(db: Session) -> None:
    """Another version is the newest, once this transaction ends."""
    forget(db, _KEPT)


def _read(db: Session) -> dict[str, GuideVersion]:
    newest_last = select(GuideVersion).order_by(GuideVersion.version)
    found = {each.item: each for each in db.scalars(newest_last)}
    for each in found.values():
        db.expunge(each)  # it outlives the session
    return found
