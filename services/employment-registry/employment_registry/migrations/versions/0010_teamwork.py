"""Officers work together: transfers, opinions, urging; which officers there are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APPLICATIONS = (
    "flexible_employment_application",
    "unemployment_application",
    "certificate_application",
)
INDEXES = {
    "assigned": ("assigned_to", "assigned_to IS NOT NULL"),
    "urged": ("urged_on", "urged_times > 0"),
}
ID = sa.String(36)
ACTOR = sa.String(80)
TIME = sa.DateTime(timezone=True)
OPEN = sa.text("answered_at IS NULL AND ended_at IS NULL")


def upgrade() -> None:
    """Add columns with defaults, which old code leaves alone, and create the tables."""
    for table in APPLICATIONS:
        op.add_column(table, sa.Column("assigned_to", ACTOR))
        op.add_column(table, _number("awaited"))
        op.add_column(table, _number("urged_times"))
        op.add_column(table, sa.Column("urged_on", sa.Date))
        op.add_column(table, sa.Column("sampled_from", ACTOR))
        op.create_check_constraint(f"{table}_agreed", table, "state <> 'approved' OR awaited = 0")
        for name, (column, where) in INDEXES.items():
            condition = sa.text(where)
            op.create_index(f"{table}_{name}", table, [column], postgresql_where=condition)
    _create_officers()
    _create_opinions()
    _create_urgings()


def downgrade() -> None:
    """As it was."""
    for table in ("review_urging", "review_opinion", "known_officer"):
        op.drop_table(table)
    for table in APPLICATIONS:
        for name in INDEXES:
            op.drop_index(f"{table}_{name}", table)
        op.drop_constraint(f"{table}_agreed", table)
        for column in ("sampled_from", "urged_on", "urged_times", "awaited", "assigned_to"):
            op.drop_column(table, column)


def _number(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _create_officers() -> None:
    op.create_table(
        "known_officer",
        sa.Column("officer_id", ACTOR, primary_key=True),
        sa.Column("region", sa.String(12), nullable=False),
        sa.Column("businesses", ARRAY(sa.String(120)), nullable=False),
        sa.Column("roles", ARRAY(sa.String(16)), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("heard_at", TIME, nullable=False),
    )


def _create_opinions() -> None:
    op.create_table(
        "review_opinion",
        sa.Column("id", ID, primary_key=True),
        sa.Column("business", sa.String(120), nullable=False),
        sa.Column("application_id", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("asked_by", ACTOR, nullable=False),
        sa.Column("asked_of", ACTOR, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("question", sa.String(500), nullable=False),
        sa.Column("answer", sa.String(16)),
        sa.Column("said", sa.String(500)),
        sa.Column("answered_at", TIME),
        sa.Column("ended_at", TIME),
        sa.CheckConstraint("asked_by <> asked_of", name="review_opinion_of_another"),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL)", name="review_opinion_answered"
        ),
    )
    op.create_index("ix_review_opinion_application_id", "review_opinion", ["application_id"])
    op.create_index(
        "one_open_opinion_per_colleague",
        "review_opinion",
        ["application_id", "asked_of"],
        unique=True,
        postgresql_where=OPEN,
    )
    op.create_index(
        "review_opinion_asked", "review_opinion", ["asked_of", "business"], postgresql_where=OPEN
    )


def _create_urgings() -> None:
    op.create_table(
        "review_urging",
        sa.Column("application_id", ID, primary_key=True),
        sa.Column("for_day", sa.Date, primary_key=True),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.CheckConstraint("ordinal BETWEEN 1 AND 5", name="review_urging_within_bounds"),
    )
    op.create_index(
        "review_urging_ordinal", "review_urging", ["application_id", "ordinal"], unique=True
    )
