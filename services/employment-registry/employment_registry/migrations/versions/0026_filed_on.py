"""Every decision knows when what it is about was filed, so that no month changes afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLES = (
    "flexible_employment_application",
    "unemployment_application",
    "certificate_application",
    "planned_ending",
)
# The last filing is known; of those before it no more than that they were not later.
_LAST = """
UPDATE review_decision AS d SET filed_on = (a.submitted_at AT TIME ZONE 'Asia/Shanghai')::date
FROM {table} a
WHERE a.id = d.application_id
  AND (a.submitted_at AT TIME ZONE 'Asia/Shanghai')::date <= d.decided_on
"""


def upgrade() -> None:
    """Add the day, known as well as it can be of what is decided already."""
    op.add_column("review_decision", sa.Column("filed_on", sa.Date))
    for table in TABLES:
        op.execute(_LAST.format(table=table))
    op.execute("UPDATE review_decision SET filed_on = decided_on WHERE filed_on IS NULL")
    op.create_index("review_decision_filed", "review_decision", ["business", "filed_on"])
    op.create_index("review_decision_application", "review_decision", ["application_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("review_decision_application", "review_decision")
    op.drop_column("review_decision", "filed_on")
