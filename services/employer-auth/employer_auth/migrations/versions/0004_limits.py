"""Counters of tries, and the one business employer-auth itself offers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "try_window",
        sa.Column("key", sa.String(120), primary_key=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    )
    # A unit appoints somebody who manages before any worker has announced anything.
    op.execute(
        "INSERT INTO business (code, title, actions, person_level, unit_level, unit_account, "
        "retired, published_at) VALUES ('employer-auth.unit', '单位管理', "
        "ARRAY['view', 'manage'], 2, 2, true, false, '2000-01-01T00:00:00Z')"
    )


def downgrade() -> None:
    op.execute("DELETE FROM business WHERE code = 'employer-auth.unit'")
    op.drop_table("try_window")
