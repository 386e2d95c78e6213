"""Accounts that are to end, and what stands against it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
OPEN = "undone_at IS NULL AND done_at IS NULL"


def upgrade() -> None:
    op.create_table(
        "cancellation",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("takes_effect_at", TIME, nullable=False),
        sa.Column("undone_at", TIME),
        sa.Column("done_at", TIME),
    )
    op.create_index(
        "cancellation_one_open",
        "cancellation",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text(OPEN),
    )
    op.create_index(
        "cancellation_due", "cancellation", ["takes_effect_at"], postgresql_where=sa.text(OPEN)
    )
    op.create_table(
        "cancellation_tie",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(80), primary_key=True),
        sa.Column("account_id", sa.String(80), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("since", TIME, nullable=False),
    )
    op.create_index("ix_cancellation_tie_account_id", "cancellation_tie", ["account_id"])


def downgrade() -> None:
    op.drop_table("cancellation_tie")
    op.drop_table("cancellation")
