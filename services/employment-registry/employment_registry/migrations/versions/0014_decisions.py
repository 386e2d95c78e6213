"""Decisions are counted when they are made."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; what was decided before is not counted."""
    op.create_table(
        "review_decision",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("business", sa.String(120), nullable=False),
        sa.Column("application_id", sa.String(36), nullable=False),
        sa.Column("region", sa.String(12), nullable=False),
        sa.Column("move", sa.String(40), nullable=False),
        sa.Column("reason_code", sa.String(60)),
        sa.Column("officer_id", sa.String(80), nullable=False),
        sa.Column("decided_on", sa.Date, nullable=False),
        sa.Column("working_days", sa.Integer, nullable=False),
        sa.Column("was_overdue", sa.Boolean, nullable=False),
    )
    op.create_index("review_decision_month", "review_decision", ["business", "decided_on"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("review_decision")
