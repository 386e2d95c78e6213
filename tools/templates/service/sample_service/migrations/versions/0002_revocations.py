"""Ended sessions, accounts and bindings: what makes tokens worth nothing before their time."""

from alembic import op

from servicekit.migrations import create_revocations, drop_revocations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    create_revocations(op)


def downgrade() -> None:
    """Drop it."""
    drop_revocations(op)
