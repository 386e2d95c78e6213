"""Officers work together on objections too: transfers, opinions, urging."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLE = "planned_ending"
ACTOR = sa.String(80)


def upgrade() -> None:
    """Columns with defaults, which old code leaves alone."""
    op.add_column(TABLE, sa.Column("assigned_to", ACTOR))
    for name in ("awaited", "urged_times"):
        op.add_column(TABLE, sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.add_column(TABLE, sa.Column("urged_on", sa.Date))
    op.add_column(TABLE, sa.Column("sampled_from", ACTOR))
    op.create_check_constraint(f"{TABLE}_agreed", TABLE, "state <> 'approved' OR awaited = 0")
    handed, urged = sa.text("assigned_to IS NOT NULL"), sa.text("urged_times > 0")
    op.create_index(f"{TABLE}_assigned", TABLE, ["assigned_to"], postgresql_where=handed)
    op.create_index(f"{TABLE}_urged", TABLE, ["urged_on"], postgresql_where=urged)


def downgrade() -> None:
    """As it was."""
    for name in ("urged", "assigned"):
        op.drop_index(f"{TABLE}_{name}", TABLE)
    op.drop_constraint(f"{TABLE}_agreed", TABLE)
    for column in ("sampled_from", "urged_on", "urged_times", "awaited", "assigned_to"):
        op.drop_column(TABLE, column)
