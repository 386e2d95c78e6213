"""What is accepted waits for a decision too: the queue's order is the kit's own now."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = "flexible_employment_application"
BEFORE = (
    "CASE WHEN state = 'submitted' THEN coalesce(due_on, DATE '9999-12-31') "
    "ELSE DATE '9999-12-31' END"
)
AFTER = (
    "CASE WHEN state IN ('submitted', 'accepted') "
    "THEN coalesce(due_on, DATE '9999-12-31') ELSE DATE '9999-12-31' END"
)


def upgrade() -> None:
    """Compute the column anew, with its indexes."""
    _compute(AFTER)


def downgrade() -> None:
    """As it was."""
    _compute(BEFORE)


def _compute(expression: str) -> None:
    op.drop_column(TABLE, "due_order")  # takes its indexes along
    column = sa.Column(
        "due_order", sa.Date, sa.Computed(expression, persisted=True), nullable=False
    )
    op.add_column(TABLE, column)
    op.create_index(f"{TABLE}_queue", TABLE, ["due_order", "id"])
    op.create_index(
        f"{TABLE}_region",
        TABLE,
        ["state", "region", "due_order", "id"],
        postgresql_ops={"region": "varchar_pattern_ops"},
    )
