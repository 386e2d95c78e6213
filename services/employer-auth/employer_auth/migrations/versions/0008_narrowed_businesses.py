"""Since when a business offers less than the tokens of some bindings may say."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("business", sa.Column("narrowed_at", sa.DateTime(timezone=True)))
    op.create_index(
        "permission_grant_of_business",
        "permission_grant",
        ["business"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("permission_grant_of_business", table_name="permission_grant")
    op.drop_column("business", "narrowed_at")
