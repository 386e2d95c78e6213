"""Likeness of persons, what becomes of duplicates, and the businesses officers work in."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("person", sa.Column("likeness_index", sa.LargeBinary(16)))
    op.create_index("ix_person_likeness_index", "person", ["likeness_index"])
    op.create_table(
        "duplicate_resolution",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("kept_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("given_up_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(36), nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column("decided_by", sa.String(36)),
        sa.Column("decided_at", TIME),
        sa.Column("decided_note", sa.Text()),
    )
    op.create_index(
        "duplicate_resolution_one_open",
        "duplicate_resolution",
        ["given_up_id"],
        unique=True,
        postgresql_where=sa.text("outcome = 'proposed'"),
    )
    op.create_index("ix_duplicate_resolution_proposed_at", "duplicate_resolution", ["proposed_at"])
    op.create_table(
        "known_business",
        sa.Column("code", sa.String(120), primary_key=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("heard_at", TIME, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("known_business")
    op.drop_table("duplicate_resolution")
    op.drop_index("ix_person_likeness_index", "person")
    op.drop_column("person", "likeness_index")
