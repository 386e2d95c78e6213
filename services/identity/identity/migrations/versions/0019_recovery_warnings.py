"""The old phone is told of a recovery by a job; those that were filed before have been told."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

CASES = ("person_recovery", "unit_recovery")
WAITING = sa.text("number IS NOT NULL AND warned_at IS NULL")


def upgrade() -> None:
    for table in CASES:
        op.add_column(table, sa.Column("warned_at", sa.DateTime(timezone=True)))
        case = sa.table(table, sa.column("warned_at"), sa.column("updated_at"), sa.column("number"))
        told = sa.update(case).where(case.c.number.is_not(None))
        op.execute(told.values(warned_at=case.c.updated_at))
        op.create_index(f"{table}_to_warn", table, ["id"], postgresql_where=WAITING)


def downgrade() -> None:
    for table in CASES:
        op.drop_index(f"{table}_to_warn", table)
        op.drop_column(table, "warned_at")
