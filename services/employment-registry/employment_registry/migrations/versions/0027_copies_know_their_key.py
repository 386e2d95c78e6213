"""A copy in a wallet knows which key signed it, so that only a leaked key's copies end (ER-11)."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Unknown of copies made before; of those the time tells."""
    op.add_column("wallet_copy", sa.Column("kid", sa.String(64)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("wallet_copy", "kid")
