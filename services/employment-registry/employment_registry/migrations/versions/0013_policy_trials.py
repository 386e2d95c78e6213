"""Trial runs of drafted policies, and whom they would touch."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "policy_trial",
        sa.Column("policy_id", sa.String(36), sa.ForeignKey("policy.id"), primary_key=True),
        sa.Column("asked_by", sa.String(80), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("source", sa.Integer, nullable=False),
        sa.Column("after", sa.String(80), nullable=False),
        sa.Column("looked_at", sa.Integer, nullable=False),
        sa.Column("unseen_touched", sa.Integer, nullable=False),
    )
    op.create_table(
        "policy_trial_line",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column(
            "policy_id",
            sa.String(36),
            sa.ForeignKey("policy_trial.policy_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("matter", sa.String(24), nullable=False),
        sa.Column("application_id", sa.String(36), nullable=False),
        sa.Column("is_record", sa.Boolean, nullable=False),
        sa.Column("region", sa.String(12), nullable=False),
        sa.Column("effect", sa.String(200), nullable=False),
    )
    op.create_index("policy_trial_line_order", "policy_trial_line", ["policy_id", "id"])
    op.create_index(
        "policy_trial_line_region",
        "policy_trial_line",
        ["policy_id", "region", "effect"],
        postgresql_ops={"region": "varchar_pattern_ops"},
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("policy_trial_line")
    op.drop_table("policy_trial")
