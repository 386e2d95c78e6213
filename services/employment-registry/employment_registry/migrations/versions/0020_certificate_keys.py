"""Certificates are signed with keys of a ring instead of keys in the settings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of the ring; the first worker or request makes the first keys."""
    op.create_table(
        "certificate_key",
        sa.Column("kid", sa.String(64), primary_key=True),
        sa.Column("algorithm", sa.String(10), nullable=False),
        sa.Column("phase", sa.String(10), nullable=False),
        sa.Column("public", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True)),
        sa.Column("retired_at", sa.DateTime(timezone=True)),
        sa.Column("private", sa.LargeBinary(), nullable=False),
    )
    op.create_index(
        "certificate_key_one_per_phase",
        "certificate_key",
        ["algorithm", "phase"],
        unique=True,
        postgresql_where=sa.text("phase IN ('next', 'active')"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("certificate_key")
