"""What happened to registered people, and the endings that are planned because of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ENDING = "planned_ending"
ID = sa.String(36)
ACTOR = sa.String(80)
TIME = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('draft', 'submitted', 'returned')")
FILED = sa.text("region IS NOT NULL")
RARE = sa.text("region IS NOT NULL AND state <> 'approved'")
HELD = sa.text("claimed_by IS NOT NULL")
DUE = ["due_order", "submitted_at", "id"]
DUE_ORDER = (
    "CASE WHEN state IN ('submitted', 'accepted') "
    "THEN coalesce(due_on, DATE '9999-12-31') ELSE DATE '9999-12-31' END"
)


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "life_event",
        sa.Column("id", ID, primary_key=True),
        sa.Column("source", sa.String(24), nullable=False),
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("person_key", sa.LargeBinary(16), nullable=False),
        sa.Column("happening", sa.String(16), nullable=False),
        sa.Column("on_day", sa.Date, nullable=False),
        sa.Column("heard_at", TIME, nullable=False),
        sa.Column("refuted", sa.Boolean, nullable=False),
    )
    op.create_index("one_life_event", "life_event", ["source", "reference"], unique=True)
    op.create_index("life_event_person", "life_event", ["person_key"])
    op.create_index("life_event_heard", "life_event", ["heard_at"])
    op.create_table(
        "register_position",
        sa.Column("system", sa.String(24), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    _create_endings()


def downgrade() -> None:
    """Drop them."""
    for table in (ENDING, "register_position", "life_event"):
        op.drop_table(table)


def _create_endings() -> None:
    op.create_table(
        ENDING,
        sa.Column("id", ID, primary_key=True),
        sa.Column("number", sa.String(40), unique=True),
        sa.Column("applicant_id", ACTOR, nullable=False, index=True),
        sa.Column("filed_by", ACTOR),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("region", sa.String(12)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("submitted_at", TIME),
        sa.Column("decided_at", TIME),
        sa.Column("person_key", sa.LargeBinary(16), nullable=False),
        sa.Column("person_name", sa.LargeBinary, nullable=False),
        sa.Column("document_kind", sa.String(32), nullable=False),
        sa.Column("document_number", sa.LargeBinary, nullable=False),
        sa.Column("born_on", sa.LargeBinary, nullable=False),
        sa.Column("sex", sa.String(8), nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("event_id", ID, sa.ForeignKey("life_event.id"), nullable=False),
        sa.Column("takes_effect_on", sa.Date, nullable=False),
        sa.Column("took_effect", sa.Boolean, nullable=False),
        sa.Column("explanation", sa.String(1000)),
        sa.Column("due_on", sa.Date),
        sa.Column("due_order", sa.Date, sa.Computed(DUE_ORDER, persisted=True), nullable=False),
        sa.Column("days_left", sa.Integer),
        sa.Column("claimed_by", ACTOR),
        sa.Column("claimed_until", TIME),
        sa.Column("decision_reason", sa.String(1000)),
        sa.Column("fields_to_correct", JSONB, nullable=False),
    )
    op.create_index("one_open_ending", ENDING, ["record_id"], unique=True, postgresql_where=OPEN)
    op.create_index(f"{ENDING}_own", ENDING, ["applicant_id", "created_at", "id"])
    due = ["takes_effect_on", "id"]
    op.create_index(f"{ENDING}_due", ENDING, due, postgresql_where=OPEN)
    op.create_index(f"{ENDING}_held", ENDING, ["claimed_by"], postgresql_where=HELD)
    for digits, level in {2: "province", 4: "city", 6: "county"}.items():
        _create_queue(digits, level)


def _create_queue(digits: int, level: str) -> None:
    here = sa.text(f'"left"(region, {digits})')
    for name, columns in (("due", DUE), ("filed", DUE[1:])):
        op.create_index(
            f"{ENDING}_{name}_{level}",
            ENDING,
            [here, *columns],
            postgresql_where=FILED,
            postgresql_include=["state", "region"],
        )
    op.create_index(
        f"{ENDING}_state_{level}",
        ENDING,
        [here, "state", *DUE],
        postgresql_where=RARE,
        postgresql_include=["region", "claimed_by", "claimed_until"],
    )
