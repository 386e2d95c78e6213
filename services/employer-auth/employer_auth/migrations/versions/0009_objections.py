"""Objection codes, what is sent in, and the objections that count."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "objection_code",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("unit_id", sa.String(80), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(16), nullable=True, unique=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("used_at", TIME, nullable=True),
    )
    op.create_index("ix_objection_code_unit_id", "objection_code", ["unit_id"])
    op.create_index("ix_objection_code_expires_at", "objection_code", ["expires_at"])
    op.create_index(
        "objection_code_unsent",
        "objection_code",
        ["asked_at"],
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "objection_attempt",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(16), nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_table(
        "objection",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("unit_id", sa.String(80), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("code_id", sa.String(36), sa.ForeignKey("objection_code.id"), nullable=False),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("filed_at", TIME, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_by", sa.String(80), nullable=True),
        sa.Column("reason", sa.String(1000), nullable=True),
    )
    op.create_index(
        "one_open_objection",
        "objection",
        ["unit_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'upheld')"),
    )
    op.create_index("objection_queue", "objection", ["due_on", "id"])


def downgrade() -> None:
    for table in ("objection", "objection_attempt", "objection_code"):
        op.drop_table(table)
