"""The first tables: accounts, evidence, codes, officers, messages, keys, sessions, tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
    "oauth_client",
    "signing_key",
    "sign_in_session",
    "sign_in_second_step",
    "authorization_code",
    "refresh_token",
)


def upgrade() -> None:
    create_standard_tables(op)
    _accounts()
    _evidence_and_codes()
    _officers_and_messages()
    _keys_and_clients()
    _sessions()
    _codes()
    _refresh_tokens()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    drop_standard_tables(op)


def _accounts() -> None:
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
    op.create_table(
        "agreement_acceptance",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("agreement", sa.String(40), primary_key=True),
        sa.Column("version", sa.String(20), primary_key=True),
        sa.Column("accepted_at", TIME, nullable=False),
    )


def _evidence_and_codes() -> None:
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
    op.create_table(
        "limit_window",
        sa.Column("key", sa.LargeBinary(16), primary_key=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
    )
    op.create_table(
        "limit_failures",
        sa.Column("key", sa.LargeBinary(16), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("closed_until", TIME, nullable=False),
    )


def _officers_and_messages() -> None:
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


def _keys_and_clients() -> None:
    op.create_table(
        "oauth_client",
        sa.Column("client_id", sa.String(80), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32)),
        sa.Column("redirect_uris", ARRAY(sa.Text()), nullable=False),
        sa.Column("post_logout_redirect_uris", ARRAY(sa.Text()), nullable=False),
        sa.Column("scopes", ARRAY(sa.String(40)), nullable=False),
        sa.Column("grant_types", ARRAY(sa.String(80)), nullable=False),
        sa.Column("auth_methods", ARRAY(sa.String(40)), nullable=False),
        sa.Column("id_token_alg", sa.String(10), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(64), primary_key=True),
        sa.Column("algorithm", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("public", JSONB(), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("activated_at", TIME),
        sa.Column("retired_at", TIME),
    )
    op.create_index(
        "signing_key_one_per_state",
        "signing_key",
        ["algorithm", "state"],
        unique=True,
        postgresql_where=sa.text("state IN ('next', 'active')"),
    )


def _sessions() -> None:
    op.create_table(
        "sign_in_session",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("amr", ARRAY(sa.String(16)), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("authenticated_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("end_reason", sa.String(32)),
    )
    op.create_index("sign_in_session_of_account", "sign_in_session", ["account_id", "created_at"])
    op.create_table(
        "sign_in_second_step",
        sa.Column("secret_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
    )


def _codes() -> None:
    op.create_table(
        "authorization_code",
        sa.Column("code_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column(
            "client_id", sa.String(80), sa.ForeignKey("oauth_client.client_id"), nullable=False
        ),
        sa.Column("session_id", sa.String(36), sa.ForeignKey("sign_in_session.id"), nullable=False),
        sa.Column("family_id", sa.String(36), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(400), nullable=False),
        sa.Column("nonce", sa.String(400)),
        sa.Column("code_challenge", sa.String(128), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
    )
    op.create_index("ix_authorization_code_expires_at", "authorization_code", ["expires_at"])


def _refresh_tokens() -> None:
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("family_id", sa.String(36), nullable=False),
        sa.Column(
            "client_id", sa.String(80), sa.ForeignKey("oauth_client.client_id"), nullable=False
        ),
        sa.Column("session_id", sa.String(36), sa.ForeignKey("sign_in_session.id"), nullable=False),
        sa.Column("scope", sa.String(400), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("successor", sa.LargeBinary()),
        sa.Column("revoked_at", TIME),
    )
    op.create_index("ix_refresh_token_expires_at", "refresh_token", ["expires_at"])
    op.create_index("refresh_token_of_family", "refresh_token", ["family_id"])
    op.create_index("refresh_token_of_session", "refresh_token", ["session_id"])
