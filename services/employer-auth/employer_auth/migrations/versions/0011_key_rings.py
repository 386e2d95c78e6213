"""A mandate's key says its algorithm, as the kit's rings do; old code goes on writing ES256."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLE, INDEX = "mandate_key", "mandate_key_one_per_phase"
HELD = sa.text("phase IN ('next', 'active')")


def upgrade() -> None:
    op.add_column(
        TABLE, sa.Column("algorithm", sa.String(10), nullable=False, server_default="ES256")
    )
    op.alter_column(TABLE, "phase", type_=sa.String(10), existing_nullable=False)
    op.drop_index(INDEX, table_name=TABLE)
    op.create_index(INDEX, TABLE, ["algorithm", "phase"], unique=True, postgresql_where=HELD)


def downgrade() -> None:
    op.drop_index(INDEX, table_name=TABLE)
    op.create_index(INDEX, TABLE, ["phase"], unique=True, postgresql_where=HELD)
    op.alter_column(TABLE, "phase", type_=sa.String(16), existing_nullable=False)
    op.drop_column(TABLE, "algorithm")
