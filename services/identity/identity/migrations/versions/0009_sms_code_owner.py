"""An SMS code knows the account that asked for it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sms_code", sa.Column("owner_id", sa.String(36)))


def downgrade() -> None:
    op.drop_column("sms_code", "owner_id")
