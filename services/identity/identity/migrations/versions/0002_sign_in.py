"""The tables of the OpenID provider: clients, keys, sessions, codes, refresh tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TABLES = (  # in the order of making
    "oauth_client",
    "signing_key",
    "sign_in_session",
    "sign_in_second_step",
    "authorization_code",
    "refresh_token",
)


def upgrade() -> None:
    _oauth_client()
    _signing_key()
    _sign_in_session()
    _sign_in_second_step()
    _authorization_code()
    _refresh_token()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _oauth_client() -> None:
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


def _signing_key() -> None:
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(64), primary_key=True),
        sa.Column("algorithm", sa.String(10), nullable=False),
        sa.Column("phase", sa.String(10), nullable=False),
        sa.Column("public", JSONB(), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("activated_at", TIME),
        sa.Column("retired_at", TIME),
    )
    op.create_index(
        "signing_key_one_per_phase",
        "signing_key",
        ["algorithm", "phase"],
        unique=True,
        postgresql_where=sa.text("phase IN ('next', 'active')"),
    )


def _sign_in_session() -> None:
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


def _sign_in_second_step() -> None:
    op.create_table(
        "sign_in_second_step",
        sa.Column("secret_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
    )


def _authorization_code() -> None:
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


def _refresh_token() -> None:
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
