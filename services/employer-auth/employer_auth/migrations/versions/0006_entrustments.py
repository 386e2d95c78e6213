"""Deeds of agents, entrustments to agencies, and an index of the units nobody manages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
LIVE = sa.text("state IN ('offered', 'active')")


def upgrade() -> None:
    _deed()
    _entrustment()
    _entrusted_business()
    op.create_index(
        "unit_unmanaged", "unit", ["id"], postgresql_where=sa.text("unmanaged_since IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("unit_unmanaged", table_name="unit")
    for table in ("entrusted_business", "entrustment", "deed"):
        op.drop_table(table)


def _deed() -> None:
    op.create_table(
        "deed",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("unit_id", sa.String(80), nullable=False),
        sa.Column("person_id", sa.String(80), nullable=False),
        sa.Column("via", sa.String(80)),
        sa.Column("business", sa.String(120), nullable=False),
        sa.Column("application_id", sa.String(80), nullable=False),
        sa.Column("number", sa.String(40)),
        sa.Column("move", sa.String(40), nullable=False),
        sa.Column("after", sa.String(32), nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("deed_of_unit", "deed", ["unit_id", "at", "id"])
    op.create_index("deed_of_person", "deed", ["person_id", "at", "id"])


def _entrustment() -> None:
    op.create_table(
        "entrustment",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("unit_id", sa.String(80), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("agency_id", sa.String(80), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
    )
    op.create_index(
        "one_live_entrustment",
        "entrustment",
        ["unit_id", "agency_id"],
        unique=True,
        postgresql_where=LIVE,
    )
    op.create_index("entrustment_of_unit", "entrustment", ["unit_id", "created_at", "id"])
    op.create_index("entrustment_of_agency", "entrustment", ["agency_id", "created_at", "id"])
    op.create_index("entrustment_ending", "entrustment", ["valid_until"], postgresql_where=LIVE)


def _entrusted_business() -> None:
    op.create_table(
        "entrusted_business",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("entrustment_id", sa.String(36), sa.ForeignKey("entrustment.id"), nullable=False),
        sa.Column("business", sa.String(80), sa.ForeignKey("business.code"), nullable=False),
        sa.Column("actions", ARRAY(sa.String(16)), nullable=False),
        sa.Column("region", sa.String(12)),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("ended_at", TIME),
    )
    op.create_index(
        "one_live_entrusted_business",
        "entrusted_business",
        ["entrustment_id", "business"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
