"""Evidence says its scale, who vouched and what became of it; challenges are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
LAPSING = sa.text("revoked_at IS NULL AND lapsed_at IS NULL")


def upgrade() -> None:
    # Old code goes on writing bank-card evidence without these; the defaults say what that is.
    op.add_column(
        "evidence", sa.Column("scale", sa.String(8), nullable=False, server_default="hrss")
    )
    op.add_column(
        "evidence", sa.Column("provider", sa.String(60), nullable=False, server_default="unionpay")
    )
    op.add_column("evidence", sa.Column("masked", sa.LargeBinary()))
    op.add_column("evidence", sa.Column("recorded_by", sa.String(36)))
    op.add_column("evidence", sa.Column("revoked_for", sa.String(200)))
    op.add_column("evidence", sa.Column("lapsed_at", TIME))
    op.create_index("evidence_to_lapse", "evidence", ["expires_at"], postgresql_where=LAPSING)
    op.create_table(
        "verification_challenge",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("browser_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id")),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("purpose", sa.String(8), nullable=False),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("confirm", sa.String(4), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("handle_index", sa.LargeBinary(32)),
        sa.Column("proof", sa.LargeBinary()),
        sa.Column("return_to", sa.Text()),
        sa.Column("failure", sa.String(200)),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("asked_at", TIME),
        sa.Column("expires_at", TIME, nullable=False),
    )
    op.create_index("verification_challenge_by_handle", "verification_challenge", ["handle_index"])
    op.create_index(
        "ix_verification_challenge_expires_at", "verification_challenge", ["expires_at"]
    )


def downgrade() -> None:
    op.drop_table("verification_challenge")
    op.drop_index("evidence_to_lapse", table_name="evidence")
    for name in ("lapsed_at", "revoked_for", "recorded_by", "masked", "provider", "scale"):
        op.drop_column("evidence", name)
