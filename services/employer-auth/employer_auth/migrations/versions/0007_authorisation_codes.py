"""Files, applications for authorisation codes, each unit's case, and what came of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
OPEN = "state IN ('draft', 'submitted', 'accepted', 'returned')"
DUE_ORDER = (
    "CASE WHEN state IN ('submitted', 'accepted') "
    "THEN coalesce(due_on, DATE '9999-12-31') ELSE DATE '9999-12-31' END"
)


def upgrade() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner_id", sa.String(80), nullable=False),
        sa.Column("uploaded_by", sa.String(80), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(36), nullable=True),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("storage_key", sa.String(120), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("attached_at", TIME, nullable=True),
        sa.Column("delete_at", TIME, nullable=True),
        sa.Column("deleted_at", TIME, nullable=True),
    )
    op.create_index("upload_owner", "upload", ["owner_id", "created_at", "id"])
    op.create_index("upload_subject", "upload", ["subject_id"])
    op.create_index(
        "upload_due", "upload", ["delete_at"], postgresql_where=sa.text("state <> 'deleted'")
    )
    op.create_table(
        "authorisation_application",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(40), nullable=True, unique=True),
        sa.Column("applicant_id", sa.String(80), nullable=False),
        sa.Column("filed_by", sa.String(80), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("submitted_at", TIME, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index(
        "authorisation_application_own",
        "authorisation_application",
        ["applicant_id", "created_at", "id"],
    )
    _cases()
    op.create_table(
        "authorisation",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("binding_id", sa.String(36), sa.ForeignKey("binding.id"), nullable=False),
        sa.Column("unit_id", sa.String(80), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("person_id", sa.String(80), nullable=False),
        sa.Column(
            "case_id",
            sa.String(36),
            sa.ForeignKey("authorisation_case.id"),
            nullable=False,
            unique=True,
        ),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("authorised_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("revoked_by", sa.String(80), nullable=True),
        sa.Column("revoke_reason", sa.String(500), nullable=True),
    )
    op.create_index(
        "one_live_authorisation",
        "authorisation",
        ["binding_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_index("authorisation_of_unit", "authorisation", ["unit_id", "authorised_at", "id"])
    op.create_index("ix_authorisation_person_id", "authorisation", ["person_id"])


def downgrade() -> None:
    for table in ("authorisation", "authorisation_case", "authorisation_application", "upload"):
        op.drop_table(table)


def _cases() -> None:
    op.create_table(
        "authorisation_case",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(40), nullable=True, unique=True),
        sa.Column("applicant_id", sa.String(80), nullable=False),
        sa.Column("filed_by", sa.String(80), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(12), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("submitted_at", TIME, nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("due_order", sa.Date(), sa.Computed(DUE_ORDER, persisted=True), nullable=False),
        sa.Column("days_left", sa.Integer(), nullable=True),
        sa.Column("claimed_by", sa.String(80), nullable=True),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.Column("decision_reason", sa.String(1000), nullable=True),
        sa.Column("fields_to_correct", postgresql.JSONB(), nullable=False),
        sa.Column(
            "application_id",
            sa.String(36),
            sa.ForeignKey("authorisation_application.id"),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.String(80), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("binding_id", sa.String(36), sa.ForeignKey("binding.id"), nullable=False),
        sa.Column("accepted_by", sa.String(80), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(16), nullable=True, unique=True),
        sa.Column("code_sent_at", TIME, nullable=True),
        sa.Column("code_expires_at", TIME, nullable=True),
        sa.Column("redeemed_at", TIME, nullable=True),
    )
    for column in ("applicant_id", "application_id", "unit_id"):
        op.create_index(f"ix_authorisation_case_{column}", "authorisation_case", [column])
    op.create_index(
        "one_open_authorisation_case",
        "authorisation_case",
        ["applicant_id", "unit_id"],
        unique=True,
        postgresql_where=sa.text(OPEN),
    )
    op.create_index("authorisation_case_queue", "authorisation_case", ["due_order", "id"])
    op.create_index(
        "authorisation_case_region",
        "authorisation_case",
        ["state", "region", "due_order", "id"],
        postgresql_ops={"region": "varchar_pattern_ops"},
    )
