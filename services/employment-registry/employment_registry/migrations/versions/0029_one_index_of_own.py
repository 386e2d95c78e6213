"""A list of own things has its index; another of the account alone was written for nothing."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLES = (
    "flexible_employment_application",
    "unemployment_application",
    "certificate_application",
    "planned_ending",
)


def upgrade() -> None:
    """Drop what begins another index."""
    for table in TABLES:
        op.drop_index(f"ix_{table}_applicant_id", table)


def downgrade() -> None:
    """Make it again."""
    for table in TABLES:
        op.create_index(f"ix_{table}_applicant_id", table, ["applicant_id"])
