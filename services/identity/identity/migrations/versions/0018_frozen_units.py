"""A unit is frozen while an objection of its legal representative stands (EA-12)."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("frozen_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("account", "frozen_at")
