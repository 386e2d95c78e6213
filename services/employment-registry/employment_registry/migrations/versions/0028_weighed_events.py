"""Every life event knows whether it has been asked what it ends (ER-07, ID-05)."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# What was looked for until now; asking once more changes nothing.
_RECENT = "UPDATE life_event SET weighed = false WHERE heard_at > now() - interval '2 days'"


def upgrade() -> None:
    """Add the column; what an earlier release hears meanwhile is asked once more."""
    column = sa.Column("weighed", sa.Boolean, nullable=False, server_default=sa.true())
    op.add_column("life_event", column)
    op.execute(_RECENT)
    op.alter_column("life_event", "weighed", server_default=sa.false())
    op.drop_index("life_event_heard", "life_event")
    unweighed = sa.text("NOT weighed")
    op.create_index("life_event_unweighed", "life_event", ["id"], postgresql_where=unweighed)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("life_event_unweighed", "life_event")
    op.drop_column("life_event", "weighed")
    op.create_index("life_event_heard", "life_event", ["heard_at"])
