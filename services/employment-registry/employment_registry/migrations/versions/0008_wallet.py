"""The certificate in wallets: offers, copies, used nonces; what has ended is found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CERTIFICATE = "certificate"
OFFER = "wallet_offer"
COPY = "wallet_copy"
NONCE = "wallet_nonce"
ID = sa.String(36)
TIME = sa.DateTime(timezone=True)
HASH = sa.LargeBinary(32)
NEXT = sa.text("nextval('certificate_position_seq')")


def upgrade() -> None:
    """Create them."""
    op.create_index(
        f"{CERTIFICATE}_ended",
        CERTIFICATE,
        ["position"],
        postgresql_where=sa.text("validity <> 'valid'"),
    )
    op.create_table(
        OFFER,
        sa.Column("id", ID, primary_key=True),
        sa.Column("applicant_id", sa.String(80), nullable=False, unique=True),
        sa.Column("certificate_id", ID, sa.ForeignKey(f"{CERTIFICATE}.id"), nullable=False),
        sa.Column("code_hash", HASH, nullable=False, unique=True),
        sa.Column("transaction_code_hash", HASH, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("token_hash", HASH, unique=True),
        sa.Column("token_expires_at", TIME),
        sa.Column("copies", sa.Integer, nullable=False),
    )
    op.create_table(
        COPY,
        sa.Column("id", ID, primary_key=True),
        sa.Column("certificate_id", ID, sa.ForeignKey(f"{CERTIFICATE}.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False, unique=True, server_default=NEXT),
        sa.Column("notification_hash", HASH, nullable=False),
        sa.Column("event", sa.String(32)),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
    )
    op.create_index(f"{COPY}_certificate", COPY, ["certificate_id", "issued_at", "id"])
    op.create_index(f"{COPY}_notification", COPY, ["notification_hash"])
    op.create_index(
        f"{COPY}_ended", COPY, ["position"], postgresql_where=sa.text("ended_at IS NOT NULL")
    )
    op.create_table(
        NONCE,
        sa.Column("nonce_hash", HASH, primary_key=True),
        sa.Column("expires_at", TIME, nullable=False),
    )
    op.create_index(f"ix_{NONCE}_expires_at", NONCE, ["expires_at"])


def downgrade() -> None:
    """Drop them."""
    for table in (NONCE, COPY, OFFER):
        op.drop_table(table)
    op.drop_index(f"{CERTIFICATE}_ended", CERTIFICATE)
