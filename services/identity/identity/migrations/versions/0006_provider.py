"""The provider whole: other systems' clients, consent, pushed requests, acting, logout notices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TABLES = (  # in the order of making
    "oauth_client_change",
    "oauth_consent",
    "pushed_request",
    "used_token_id",
    "known_binding",
    "logout_notice",
)
NO = sa.text("false")
CLIENT_COLUMNS = (
    lambda: sa.Column("former_secret_hash", sa.LargeBinary(32)),
    lambda: sa.Column("former_secret_until", TIME),
    lambda: sa.Column("backchannel_logout_uri", sa.Text()),
    lambda: sa.Column("jwks", JSONB()),
    lambda: sa.Column("jwks_uri", sa.Text()),
    lambda: sa.Column("sector", sa.String(200)),
    lambda: sa.Column("needs_consent", sa.Boolean(), nullable=False, server_default=NO),
    lambda: sa.Column("requires_par", sa.Boolean(), nullable=False, server_default=NO),
    lambda: sa.Column("requires_dpop", sa.Boolean(), nullable=False, server_default=NO),
    lambda: sa.Column("introspects", sa.Boolean(), nullable=False, server_default=NO),
    lambda: sa.Column("suspended_at", TIME),
    lambda: sa.Column("updated_at", TIME),
    lambda: sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
)
CLIENT = "oauth_client.client_id"


def upgrade() -> None:
    """Columns that old code need not know, and tables."""
    for column in CLIENT_COLUMNS:
        op.add_column("oauth_client", column())
    op.add_column("sign_in_session", sa.Column("acting", JSONB()))
    op.create_index(
        "sign_in_session_ended",
        "sign_in_session",
        ["ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    for table in ("authorization_code", "refresh_token"):
        op.add_column(table, sa.Column("acting", JSONB()))
        op.add_column(table, sa.Column("dpop_thumbprint", sa.String(64)))
    _consents()
    _requests()
    _bindings()
    _notices()


def downgrade() -> None:
    """Back to the provider of our own clients."""
    for table in reversed(TABLES):
        op.drop_table(table)
    for table in ("refresh_token", "authorization_code"):
        op.drop_column(table, "dpop_thumbprint")
        op.drop_column(table, "acting")
    op.drop_index("sign_in_session_ended", "sign_in_session")
    op.drop_column("sign_in_session", "acting")
    for column in reversed(CLIENT_COLUMNS):
        op.drop_column("oauth_client", column().name)


def _consents() -> None:
    op.create_table(
        "oauth_client_change",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("client_id", sa.String(80), sa.ForeignKey(CLIENT), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor_id", sa.String(36), nullable=False),
        sa.Column("change", sa.String(24), nullable=False),
        sa.Column("values", JSONB(), nullable=False),
    )
    op.create_index("oauth_client_change_of_client", "oauth_client_change", ["client_id", "at"])
    op.create_table(
        "oauth_consent",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("client_id", sa.String(80), sa.ForeignKey(CLIENT), primary_key=True),
        sa.Column("scopes", ARRAY(sa.String(40)), nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.Column("withdrawn_at", TIME),
    )


def _requests() -> None:
    op.create_table(
        "pushed_request",
        sa.Column("reference_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("client_id", sa.String(80), sa.ForeignKey(CLIENT), nullable=False),
        sa.Column("parameters", sa.LargeBinary(), nullable=False),
        sa.Column("dpop_thumbprint", sa.String(64)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("arrived_at", TIME),
        sa.Column("used_at", TIME),
        sa.Column("expires_at", TIME, nullable=False),
    )
    op.create_index("ix_pushed_request_expires_at", "pushed_request", ["expires_at"])
    op.create_table(
        "used_token_id",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("expires_at", TIME, nullable=False),
    )
    op.create_index("ix_used_token_id_expires_at", "used_token_id", ["expires_at"])


def _bindings() -> None:
    op.create_table(
        "known_binding",
        sa.Column("binding_id", sa.String(36), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("told_at", TIME, nullable=False),
    )


def _notices() -> None:
    op.create_table(
        "logout_notice",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("client_id", sa.String(80), sa.ForeignKey(CLIENT), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(40)),
        sa.Column("finished_at", TIME),
    )
    op.create_index("ix_logout_notice_session_id", "logout_notice", ["session_id"])
    op.create_index(
        "logout_notice_waiting",
        "logout_notice",
        ["due_at"],
        postgresql_where=sa.text("finished_at IS NULL"),
    )
