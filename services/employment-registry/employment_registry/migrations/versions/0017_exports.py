"""Exports that officers ask for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "export",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("business", sa.String(120), nullable=False),
        sa.Column("requested_by", sa.String(80), nullable=False),
        sa.Column("region", sa.String(12), nullable=False),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("filters", JSONB, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("failure", sa.String(24)),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("expires_at", TIME),
        sa.Column("deleted_at", TIME),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("leased_until", TIME),
        sa.Column("rows", sa.Integer),
        sa.Column("size", sa.Integer),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64)),
    )
    op.create_index(
        "one_open_export_per_officer",
        "export",
        ["requested_by"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_index("export_own", "export", ["requested_by", "requested_at", "id"])
    kept = sa.text("deleted_at IS NULL")
    op.create_index("export_kept", "export", ["expires_at"], postgresql_where=kept)


def downgrade() -> None:
    """Drop it; the files stay where they are."""
    op.drop_table("export")
