"""Login history, conditions of passwords, and the way somebody came through a login's stages."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Old code goes on writing steps without a way; all of its logins begin with a password.
    op.add_column(
        "sign_in_second_step",
        sa.Column("way", sa.String(24), nullable=False, server_default="password"),
    )
    op.create_table(
        "password_condition",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("expires_at", TIME),
        sa.Column("distrusted_at", TIME),
    )
    op.create_table(
        "login_event",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id")),
        sa.Column("session_id", sa.String(36)),
        sa.Column("at", TIME, nullable=False),
        sa.Column("way", sa.String(24), nullable=False),
        sa.Column("outcome", sa.String(24), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("place_index", sa.LargeBinary(16), nullable=False),
        sa.Column("known_device", sa.Boolean(), nullable=False),
        sa.Column("elsewhere", sa.Boolean(), nullable=False),
        sa.Column("disowned_at", TIME),
    )
    op.create_index("login_event_of_account", "login_event", ["account_id", "at", "id"])
    op.create_index("login_event_at", "login_event", ["at"])


def downgrade() -> None:
    op.drop_table("login_event")
    op.drop_table("password_condition")
    op.drop_column("sign_in_second_step", "way")
