"""The first tables: accounts, evidence, codes, limits, officers, messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from servicekit.migrations import create_standard_tables, drop_standard_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TABLES = (  # in the order of making
    "account",
    "person",
    "agreement_acceptance",
    "evidence",
    "sms_code",
    "limit_window",
    "limit_failures",
    "officer",
    "message",
    "sms_delivery",
)


def upgrade() -> None:
    create_standard_tables(op)
    _account()
    _person()
    _agreement_acceptance()
    _evidence()
    _sms_code()
    _limit_window()
    _limit_failures()
    _officer()
    _message()
    _sms_delivery()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    drop_standard_tables(op)


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("login_name", sa.LargeBinary(), nullable=False),
        sa.Column("login_name_index", sa.LargeBinary(16), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("password_changed_at", TIME, nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(16), nullable=False),
        sa.Column("email", sa.LargeBinary()),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index("account_login_name_once", "account", ["login_name_index"], unique=True)
    op.create_index("ix_account_phone_index", "account", ["phone_index"])


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("document_type", sa.String(32), nullable=False),
        sa.Column("document_number", sa.LargeBinary(), nullable=False),
        sa.Column("document_index", sa.LargeBinary(16), nullable=False),
        sa.Column("birth_date", sa.LargeBinary(), nullable=False),
        sa.Column("sex", sa.LargeBinary(), nullable=False),
        sa.Column("migrated_twice", sa.Boolean(), nullable=False),
    )
    op.create_index(
        "person_document_once",
        "person",
        ["document_index"],
        unique=True,
        postgresql_where=sa.text("NOT migrated_twice"),
    )


def _agreement_acceptance() -> None:
    op.create_table(
        "agreement_acceptance",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("agreement", sa.String(40), primary_key=True),
        sa.Column("version", sa.String(20), primary_key=True),
        sa.Column("accepted_at", TIME, nullable=False),
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("answer_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("verified_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("revoked_at", TIME),
    )
    op.create_index("evidence_of_account", "evidence", ["account_id", "verified_at"])


def _sms_code() -> None:
    op.create_table(
        "sms_code",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("phone_index", sa.LargeBinary(16), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("tries", sa.Integer(), nullable=False),
    )
    op.create_index(
        "sms_code_open",
        "sms_code",
        ["phone_index", "purpose"],
        postgresql_where=sa.text("used_at IS NULL"),
    )


def _limit_window() -> None:
    op.create_table(
        "limit_window",
        sa.Column("key", sa.LargeBinary(16), primary_key=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
    )


def _limit_failures() -> None:
    op.create_table(
        "limit_failures",
        sa.Column("key", sa.LargeBinary(16), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("closed_until", TIME, nullable=False),
    )


def _officer() -> None:
    op.create_table(
        "officer",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("region", sa.String(12), nullable=False),
        sa.Column("businesses", ARRAY(sa.String(120)), nullable=False),
        sa.Column("roles", ARRAY(sa.String(16)), nullable=False),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=False),
        sa.Column("totp_step", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(36)),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_officer_region", "officer", ["region"])


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("template", sa.String(60), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(80)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("read_at", TIME),
    )
    op.create_index("message_of_account", "message", ["account_id", "id"])
    op.create_index(
        "message_unread", "message", ["account_id"], postgresql_where=sa.text("read_at IS NULL")
    )


def _sms_delivery() -> None:
    op.create_table(
        "sms_delivery",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id")),
        sa.Column("template", sa.String(60), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary()),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=False),
        sa.Column("useless_at", TIME),
        sa.Column("finished_at", TIME),
    )
    op.create_index(
        "sms_delivery_waiting",
        "sms_delivery",
        ["next_attempt_at"],
        postgresql_where=sa.text("state IN ('created', 'sending', 'temporary-failure')"),
    )
