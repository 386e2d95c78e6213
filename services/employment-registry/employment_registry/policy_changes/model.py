"""What a trial run found: how far it is, and whom the change would touch."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from employment_registry.tables import Base
from servicekit.db import NOT_PERSONAL, new_id

_TIME = DateTime(timezone=True)


class PolicyTrial(Base):
    """The trial run of a policy that is drafted; run again, it begins anew.

    ``source`` and ``after`` say where it goes on. What no officer knows of yet is counted and never
    listed: until then it is nobody's but its owner's.
    """

    __tablename__ = "policy_trial"

    policy_id: Mapped[str] = mapped_column(
        ForeignKey("policy.id"), primary_key=True, info=NOT_PERSONAL
    )
    asked_by: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    asked_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    finished_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    source: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    after: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    looked_at: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    unseen_touched: Mapped[int] = mapped_column(info=NOT_PERSONAL)


class PolicyTrialLine(Base):
    """One application or registration the change would touch."""

    __tablename__ = "policy_trial_line"
    __table_args__ = (
        Index("policy_trial_line_order", "policy_id", "id"),
        Index(
            "policy_trial_line_region",
            "policy_id",
            "region",
            "effect",
            postgresql_ops={"region": "varchar_pattern_ops"},
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, info=NOT_PERSONAL)
    policy_id: Mapped[str] = mapped_column(
        ForeignKey("policy_trial.policy_id", ondelete="CASCADE"), info=NOT_PERSONAL
    )
    matter: Mapped[str] = mapped_column(String(24), info=NOT_PERSONAL)
    application_id: Mapped[str] = mapped_column(String(36), info=NOT_PERSONAL)
    is_record: Mapped[bool] = mapped_column(info=NOT_PERSONAL)
    region: Mapped[str] = mapped_column(String(12), info=NOT_PERSONAL)
    effect: Mapped[str] = mapped_column(String(200), info=NOT_PERSONAL)
