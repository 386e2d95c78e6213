"""The standard tables, and flexible employment's applications and records."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from servicekit.migrations import create_standard_tables, drop_standard_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPLICATION = "flexible_employment_application"
RECORD = "flexible_employment_record"
ID = sa.String(36)
TIME = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('draft', 'submitted', 'returned')")
VALID = sa.text("is_valid")
DUE_ORDER = (
    "CASE WHEN state = 'submitted' THEN coalesce(due_on, DATE '9999-12-31') "
    "ELSE DATE '9999-12-31' END"
)


def upgrade() -> None:
    create_standard_tables(op)
    _create_applications()
    _create_records()
    op.create_foreign_key(
        f"{APPLICATION}_record_id_fkey", APPLICATION, RECORD, ["record_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_constraint(f"{APPLICATION}_record_id_fkey", APPLICATION)
    op.drop_table(RECORD)
    op.drop_table(APPLICATION)
    drop_standard_tables(op)


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
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("record_id", ID),
        sa.Column("person_key", sa.LargeBinary(16), nullable=False),
        sa.Column("person_name", sa.LargeBinary, nullable=False),
        sa.Column("document_kind", sa.String(32), nullable=False),
        sa.Column("document_number", sa.LargeBinary, nullable=False),
        sa.Column("born_on", sa.LargeBinary, nullable=False),
        sa.Column("sex", sa.String(8), nullable=False),
        sa.Column("employment_type", sa.String(16)),
        sa.Column("started_on", sa.Date),
        sa.Column("work_place", sa.String(12)),
        sa.Column("address", sa.String(200)),
        sa.Column("occupation", sa.String(60)),
        sa.Column("monthly_income", sa.Numeric(9, 2)),
        sa.Column("contact_phone", sa.LargeBinary),
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
        (f"ix_{APPLICATION}_record_id", ["record_id"]),
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
    _create_only_one(APPLICATION, "one_open_flexible_employment_application", OPEN)


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
        sa.Column("valid_since", TIME, nullable=False),
        sa.Column("changed_at", TIME),
        sa.Column("ended_at", TIME),
    )
    op.create_index(f"{RECORD}_own", RECORD, ["applicant_id", "valid_since", "id"])
    _create_only_one(RECORD, "one_valid_flexible_employment_record", VALID)


def _create_only_one(table: str, rule: str, where: sa.TextClause) -> None:
    """One per account, and one per person: someone with two accounts is still one person."""
    for suffix, column in (("account", "applicant_id"), ("person", "person_key")):
        name = f"{rule}_per_{suffix}"
        op.create_index(name, table, [column], unique=True, postgresql_where=where)
