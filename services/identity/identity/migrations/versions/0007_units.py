"""Units, what they were called before, and their registrations under way."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_check_constraint("account_unit_scale", "account", "kind <> 'unit' OR level >= 2")
    _unit()
    _unit_former()
    _unit_registration()


def downgrade() -> None:
    for table in ("unit_registration", "unit_former", "unit"):
        op.drop_table(table)
    op.drop_constraint("account_unit_scale", "account")


def _unit() -> None:
    op.create_table(
        "unit",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("certificate_type", sa.String(20), nullable=False),
        sa.Column("certificate_number", sa.String(18), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("region", sa.String(12), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("legal_name", sa.LargeBinary(), nullable=False),
        sa.Column("legal_document_type", sa.String(32), nullable=False),
        sa.Column("legal_document_number", sa.LargeBinary(), nullable=False),
        sa.Column("legal_phone", sa.LargeBinary(), nullable=False),
        sa.Column("registered_by", sa.String(36), nullable=False),
        sa.Column("named_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index(
        "unit_certificate_once",
        "unit",
        ["certificate_number"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "unit_region", "unit", ["region"], postgresql_ops={"region": "text_pattern_ops"}
    )
    op.create_index("ix_unit_registered_by", "unit", ["registered_by"])


def _unit_former() -> None:
    op.create_table(
        "unit_former",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("unit.account_id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("legal_name", sa.LargeBinary(), nullable=False),
        sa.Column("legal_document_number", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
        sa.Column("valid_until", TIME, nullable=False),
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("changed_by", sa.String(36), nullable=False),
    )
    op.create_index("unit_former_of_unit", "unit_former", ["account_id", "valid_until"])


def _unit_registration() -> None:
    op.create_table(
        "unit_registration",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("draft", sa.LargeBinary()),
        sa.Column("unit_id", sa.String(36), sa.ForeignKey("account.id")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
    )
    op.create_index("ix_unit_registration_person_id", "unit_registration", ["person_id"])
    op.create_index("ix_unit_registration_expires_at", "unit_registration", ["expires_at"])
