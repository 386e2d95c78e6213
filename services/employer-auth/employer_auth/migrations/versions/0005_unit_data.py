"""The numbers and values of units, and what identity is asked to tell people."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pending_notice",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("account_id", sa.String(80), nullable=False),
        sa.Column("to", sa.String(24), nullable=False),
        sa.Column("template", sa.String(60), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "pending_notice_due",
        "pending_notice",
        ["due_at"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_pending_notice_ended_at", "pending_notice", ["ended_at"])
    op.create_table(
        "unit_numbers",
        sa.Column("unit_id", sa.String(80), sa.ForeignKey("unit.id"), primary_key=True),
        sa.Column("serial", sa.BigInteger(), sa.Identity(), nullable=False, unique=True),
        sa.Column("management_code", sa.String(12), nullable=True, unique=True),
        sa.Column("organisation_code", sa.String(9), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("unit_organisation_code", "unit_numbers", ["organisation_code"])
    op.create_table(
        "unit_value",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("unit_id", sa.String(80), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("field", sa.String(16), nullable=False),
        sa.Column("value", sa.String(200), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("valid_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("corrected_by", sa.String(80), nullable=True),
        sa.Column("reason", sa.String(500), nullable=True),
    )
    op.create_index(
        "one_value_that_holds",
        "unit_value",
        ["unit_id", "field"],
        unique=True,
        postgresql_where=sa.text("valid_until IS NULL"),
    )
    op.create_index("unit_value_history", "unit_value", ["unit_id", "valid_since", "id"])


def downgrade() -> None:
    op.drop_table("unit_value")
    op.drop_table("unit_numbers")
    op.drop_table("pending_notice")
