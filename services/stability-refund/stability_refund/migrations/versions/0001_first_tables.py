"""The standard tables: outbox, inbox, history and their companions."""

from alembic import op

from servicekit.migrations import create_standard_tables, drop_standard_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    create_standard_tables(op)


def downgrade() -> None:
    """Drop them."""
    drop_standard_tables(op)
