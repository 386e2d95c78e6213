"""Officers' queues are read by index in every order, for every level of office."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("flexible_employment_application", "unemployment_application", "certificate_application")
LEVELS = {2: "province", 4: "city", 6: "county"}
DUE = ["due_order", "submitted_at", "id"]
FILED = sa.text("region IS NOT NULL")
RARE = sa.text("region IS NOT NULL AND state <> 'approved'")
HELD = sa.text("claimed_by IS NOT NULL")


def upgrade() -> None:
    """Make them in place of the two that knew one order."""
    for table in TABLES:
        op.drop_index(f"{table}_queue", table)
        op.drop_index(f"{table}_region", table)
        op.create_index(f"{table}_held", table, ["claimed_by"], postgresql_where=HELD)
        for digits, level in LEVELS.items():
            _create(table, digits, level)


def downgrade() -> None:
    """As it was."""
    for table in TABLES:
        for name in ("due", "filed", "state"):
            for level in LEVELS.values():
                op.drop_index(f"{table}_{name}_{level}", table)
        op.drop_index(f"{table}_held", table)
        op.create_index(f"{table}_queue", table, ["due_order", "id"])
        op.create_index(
            f"{table}_region",
            table,
            ["state", "region", "due_order", "id"],
            postgresql_ops={"region": "varchar_pattern_ops"},
        )


def _create(table: str, digits: int, level: str) -> None:
    here = sa.text(f'"left"(region, {digits})')
    for name, columns in (("due", DUE), ("filed", DUE[1:])):
        op.create_index(
            f"{table}_{name}_{level}",
            table,
            [here, *columns],
            postgresql_where=FILED,
            postgresql_include=["state", "region"],
        )
    op.create_index(
        f"{table}_state_{level}",
        table,
        [here, "state", *DUE],
        postgresql_where=RARE,
        postgresql_include=["region", "claimed_by", "claimed_until"],
    )
