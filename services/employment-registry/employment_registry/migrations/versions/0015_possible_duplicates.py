"""Possible duplicates are found by blind indexes, and what officers say of them is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = ("flexible_employment_application", "unemployment_application", "certificate_application")
INDEXES = ("likeness", "phone")
FILED = sa.text("submitted_at IS NOT NULL")
UNINDEXED = sa.text("likeness_index IS NULL AND submitted_at IS NOT NULL")


def upgrade() -> None:
    """Add the columns, which a job fills in for what was filed before, and the table."""
    for table in TABLES:
        for name in INDEXES:
            column = f"{name}_index"
            op.add_column(table, sa.Column(column, sa.LargeBinary(16)))
            known = sa.text(f"{column} IS NOT NULL")
            op.create_index(f"{table}_{name}", table, [column], postgresql_where=known)
        op.create_index(f"{table}_person", table, ["person_key"], postgresql_where=FILED)
        op.create_index(f"{table}_unindexed", table, ["id"], postgresql_where=UNINDEXED)
    op.create_index("certificate_person", "certificate", ["person_key"])
    op.create_table(
        "review_mark",
        sa.Column("application_id", sa.String(36), primary_key=True),
        sa.Column("other", sa.String(64), primary_key=True),
        sa.Column("business", sa.String(120), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("marked_by", sa.String(80), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("review_mark")
    op.drop_index("certificate_person", "certificate")
    for table in TABLES:
        for name in ("unindexed", "person"):
            op.drop_index(f"{table}_{name}", table)
        for name in INDEXES:
            op.drop_index(f"{table}_{name}", table)
            op.drop_column(table, f"{name}_index")
