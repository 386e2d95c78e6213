"""Questions to registers; an application that is being checked is an open one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.String(36)
TIME = sa.DateTime(timezone=True)
MATTERS = ("flexible_employment", "unemployment", "certificate")
BEFORE = sa.text("state IN ('draft', 'submitted', 'returned')")
AFTER = sa.text("state IN ('draft', 'checking', 'submitted', 'returned')")
UNFINISHED = sa.text("progress IN ('waiting', 'asking')")


def upgrade() -> None:
    """Create the tables, and count what is being checked among the open ones."""
    op.create_table(
        "outside_check",
        sa.Column("id", ID, primary_key=True),
        sa.Column("application_id", ID, nullable=False),
        sa.Column("business", sa.String(80), nullable=False),
        sa.Column("system", sa.String(24), nullable=False),
        sa.Column("progress", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=False),
        sa.Column("give_up_at", TIME, nullable=False),
        sa.Column("answered_at", TIME),
        sa.Column("findings", JSONB, nullable=False),
        sa.Column("reference", sa.String(80)),
        sa.Column("answer_hash", sa.LargeBinary(32)),
    )
    keys = ["application_id", "system"]
    op.create_index("one_outside_check", "outside_check", keys, unique=True)
    op.create_index(
        "outside_check_waiting",
        "outside_check",
        ["system", "next_attempt_at"],
        postgresql_where=UNFINISHED,
    )
    op.create_table(
        "outside_breaker",
        sa.Column("system", sa.String(24), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("open_until", TIME),
    )
    _count_open(AFTER)


def downgrade() -> None:
    """Drop them; nothing may be under check any more."""
    _count_open(BEFORE)
    op.drop_table("outside_breaker")
    op.drop_table("outside_check")


def _count_open(states: sa.TextClause) -> None:
    """Build "only one open" anew; one transaction, so that it holds all the time."""
    for matter in MATTERS:
        table, rule = f"{matter}_application", f"one_open_{matter}_application"
        for suffix, column in (("account", "applicant_id"), ("person", "person_key")):
            name = f"{rule}_per_{suffix}"
            op.drop_index(name, table)
            op.create_index(name, table, [column], unique=True, postgresql_where=states)
