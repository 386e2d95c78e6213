"""Unemployment's applications and records, and the one standing of a person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPLICATION = "unemployment_application"
RECORD = "unemployment_record"
ID = sa.String(36)
TIME = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('draft', 'submitted', 'returned')")
VALID = sa.text("is_valid")
DUE_ORDER = (
    "CASE WHEN state IN ('submitted', 'accepted') "
    "THEN coalesce(due_on, DATE '9999-12-31') ELSE DATE '9999-12-31' END"
)


def upgrade() -> None:
    """Create them; who is flexibly employed already has a standing."""
    _create_applications()
    _create_records()
    op.create_table(
        "person_standing",
        sa.Column("person_key", sa.LargeBinary(16), primary_key=True),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("record_id", ID, nullable=False, unique=True),
        sa.Column("since", TIME, nullable=False),
    )
    op.execute(
        "INSERT INTO person_standing (person_key, standing, record_id, since) "
        "SELECT person_key, 'employed', id, valid_since "
        "FROM flexible_employment_record WHERE is_valid"
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("person_standing", RECORD, APPLICATION):
        op.drop_table(table)


def _create_applications() -> None:
    op.create_table(
        APPLICATION,
        sa.Column("id", ID, primary_key=True),
        sa.Column("number", sa.String(40), unique=True),
        sa.Column("applicant_id", sa.String(80), nullable=False),
        sa.Column("filed_by", sa.String(80)),
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
        sa.Column("cause", sa.String(16)),
        sa.Column("unemployed_on", sa.Date),
        sa.Column("former_employer", sa.String(120)),
        sa.Column("service_place", sa.String(12)),
        sa.Column("address", sa.String(200)),
        sa.Column("contact_phone", sa.LargeBinary),
        sa.Column("wishes", ARRAY(sa.String(16)), nullable=False),
        sa.Column("due_on", sa.Date),
        sa.Column("due_order", sa.Date, sa.Computed(DUE_ORDER, persisted=True), nullable=False),
        sa.Column("days_left", sa.Integer),
        sa.Column("claimed_by", sa.String(80)),
        sa.Column("claimed_until", TIME),
        sa.Column("decision_reason", sa.String(1000)),
        sa.Column("fields_to_correct", JSONB, nullable=False),
    )
    for name, columns in (
        (f"ix_{APPLICATION}_applicant_id", ["applicant_id"]),
        (f"{APPLICATION}_own", ["applicant_id", "created_at", "id"]),
        (f"{APPLICATION}_queue", ["due_order", "id"]),
    ):
        op.create_index(name, APPLICATION, columns)
    op.create_index(
        f"{APPLICATION}_region",
        APPLICATION,
        ["state", "region", "due_order", "id"],
        postgresql_ops={"region": "varchar_pattern_ops"},
    )
    _create_only_one(APPLICATION, "one_open_unemployment_application", OPEN)


def _create_records() -> None:
    op.create_table(
        RECORD,
        sa.Column("id", ID, primary_key=True),
        sa.Column("applicant_id", sa.String(80), nullable=False),
        sa.Column("person_key", sa.LargeBinary(16), nullable=False),
        sa.Column(
            "application_id", ID, sa.ForeignKey(f"{APPLICATION}.id"), nullable=False, unique=True
        ),
        sa.Column("is_valid", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("service_place", sa.String(12), nullable=False),
        sa.Column("service_place_changed_on", sa.Date),
        sa.Column("valid_since", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("ending", sa.String(16)),
    )
    op.create_index(f"{RECORD}_own", RECORD, ["applicant_id", "valid_since", "id"])
    _create_only_one(RECORD, "one_valid_unemployment_record", VALID)


def _create_only_one(table: str, rule: str, where: sa.TextClause) -> None:
    """One per account, and one per person: someone with two accounts is still one person."""
    for suffix, column in (("account", "applicant_id"), ("person", "person_key")):
        name = f"{rule}_per_{suffix}"
        op.create_index(name, table, [column], unique=True, postgresql_where=where)
