"""Which version of the separate consent came with photographs, and when it was taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
CASES = ("person_recovery", "unit_recovery")


def upgrade() -> None:
    for table in CASES:
        op.add_column(table, sa.Column("photos_consent", sa.String(20)))
        op.add_column(table, sa.Column("photos_consented_at", TIME))
        op.add_column(table, sa.Column("photos_withdrawn_at", TIME))


def downgrade() -> None:
    for table in CASES:
        for column in ("photos_withdrawn_at", "photos_consented_at", "photos_consent"):
            op.drop_column(table, column)
