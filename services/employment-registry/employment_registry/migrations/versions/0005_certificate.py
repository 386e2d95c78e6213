"""Applications for the certificate, and certificates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

APPLICATION = "certificate_application"
CERTIFICATE = "certificate"
ID = sa.String(36)
TIME = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('draft', 'submitted', 'returned')")
VALID = sa.text("validity = 'valid'")
DUE_ORDER = (
    "CASE WHEN state IN ('submitted', 'accepted') "
    "THEN coalesce(due_on, DATE '9999-12-31') ELSE DATE '9999-12-31' END"
)


def upgrade() -> None:
    """Create them."""
    _create_applications()
    _create_certificates()


def downgrade() -> None:
    """Drop them."""
    op.drop_table(CERTIFICATE)
    op.drop_table(APPLICATION)


def _person() -> list[sa.Column]:
    return [
        sa.Column("person_key", sa.LargeBinary(16), nullable=False),
        sa.Column("person_name", sa.LargeBinary, nullable=False),
        sa.Column("document_kind", sa.String(32), nullable=False),
        sa.Column("document_number", sa.LargeBinary, nullable=False),
        sa.Column("born_on", sa.LargeBinary, nullable=False),
        sa.Column("sex", sa.String(8), nullable=False),
    ]


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
        *_person(),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(16)),
        sa.Column("explanation", sa.String(500)),
        sa.Column("service_place", sa.String(12)),
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
    _create_only_one(APPLICATION, "one_open_certificate_application", OPEN)


def _create_certificates() -> None:
    op.create_table(
        CERTIFICATE,
        sa.Column("id", ID, primary_key=True),
        sa.Column("applicant_id", sa.String(80), nullable=False),
        *_person(),
        sa.Column("code", sa.String(32), nullable=False, unique=True),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column(
            "position",
            sa.Integer,
            sa.Identity(always=True, start=0, minvalue=0),
            nullable=False,
            unique=True,
        ),
        sa.Column("validity", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("region", sa.String(12), nullable=False),
        sa.Column("application_id", ID, sa.ForeignKey(f"{APPLICATION}.id"), unique=True),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
    )
    op.create_index(f"{CERTIFICATE}_own", CERTIFICATE, ["applicant_id", "issued_at", "id"])
    op.create_index(f"{CERTIFICATE}_number", CERTIFICATE, ["number"])
    _create_only_one(CERTIFICATE, "one_valid_certificate", VALID)


def _create_only_one(table: str, rule: str, where: sa.TextClause) -> None:
    """One per account, and one per person: someone with two accounts is still one person."""
    for suffix, column in (("account", "applicant_id"), ("person", "person_key")):
        name = f"{rule}_per_{suffix}"
        op.create_index(name, table, [column], unique=True, postgresql_where=where)
