"""Recoveries that officers review, their photographs, and codes that stop one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
DUE_ORDER = (
    "CASE WHEN state IN ('submitted', 'accepted') "
    "THEN coalesce(due_on, DATE '9999-12-31') ELSE DATE '9999-12-31' END"
)


def upgrade() -> None:
    _upload()
    _case(
        "person_recovery",
        sa.Column("document_type", sa.String(32), nullable=False),
        sa.Column("document_number", sa.LargeBinary(), nullable=False),
        sa.Column("login_name", sa.LargeBinary()),
    )
    _case(
        "unit_recovery",
        sa.Column("certificate_number", sa.String(18), nullable=False),
        sa.Column("unit_name", sa.String(200), nullable=False),
        sa.Column("endorsed_by", sa.String(36)),
        sa.Column("endorsed_at", TIME),
    )
    op.create_table(
        "recovery_stop",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("case_id", sa.String(36)),
        sa.Column("code_hash", sa.LargeBinary(16), nullable=False),
        sa.Column("old_phone", sa.LargeBinary()),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
    )
    op.create_index("ix_recovery_stop_case_id", "recovery_stop", ["case_id"])
    op.create_index(
        "recovery_stop_open",
        "recovery_stop",
        ["code_hash"],
        unique=True,
        postgresql_where=sa.text("used_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("recovery_stop", "unit_recovery", "person_recovery", "upload"):
        op.drop_table(table)


def _upload() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner_id", sa.String(80), nullable=False),
        sa.Column("uploaded_by", sa.String(80), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(36)),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("storage_key", sa.String(120), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("attached_at", TIME),
        sa.Column("delete_at", TIME),
        sa.Column("deleted_at", TIME),
    )
    op.create_index("upload_owner", "upload", ["owner_id", "created_at", "id"])
    op.create_index("upload_subject", "upload", ["subject_id"])
    op.create_index(
        "upload_due", "upload", ["delete_at"], postgresql_where=sa.text("state <> 'deleted'")
    )


def _case(table: str, *own: sa.Column) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(40), unique=True),
        sa.Column("applicant_id", sa.String(80), nullable=False),
        sa.Column("filed_by", sa.String(80)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(12)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("submitted_at", TIME),
        sa.Column("decided_at", TIME),
        sa.Column("due_on", sa.Date()),
        sa.Column("due_order", sa.Date(), sa.Computed(DUE_ORDER, persisted=True), nullable=False),
        sa.Column("days_left", sa.Integer()),
        sa.Column("claimed_by", sa.String(80)),
        sa.Column("claimed_until", TIME),
        sa.Column("decision_reason", sa.String(1000)),
        sa.Column("fields_to_correct", JSONB(), nullable=False),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id")),
        sa.Column("goal", sa.String(16), nullable=False),
        sa.Column("contact_name", sa.LargeBinary(), nullable=False),
        sa.Column("contact_phone", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(16), nullable=False),
        *own,
    )
    op.create_index(f"ix_{table}_applicant_id", table, ["applicant_id"])
    op.create_index(f"{table}_queue", table, ["due_order", "id"])
