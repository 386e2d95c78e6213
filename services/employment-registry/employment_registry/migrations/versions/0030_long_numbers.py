"""Registers number their changes beyond two thousand million (ER-07)."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A row per register: written anew in no time."""
    op.alter_column("register_position", "number", type_=sa.BigInteger)


def downgrade() -> None:
    """Back, where no register has counted so far."""
    op.alter_column("register_position", "number", type_=sa.Integer)
