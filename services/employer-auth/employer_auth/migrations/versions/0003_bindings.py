"""Accounts and units as identity tells of them, bindings, businesses, grants, mandate keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LIVE = "state IN ('invited', 'active', 'suspended')"
NOT_ENDED = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(16), nullable=True),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "business",
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("actions", postgresql.ARRAY(sa.String(length=16)), nullable=False),
        sa.Column("person_level", sa.Integer(), nullable=False),
        sa.Column("unit_level", sa.Integer(), nullable=False),
        sa.Column("unit_account", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "mandate_key",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("public", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_index(
        "mandate_key_one_per_phase",
        "mandate_key",
        ["phase"],
        unique=True,
        postgresql_where=sa.text("phase IN ('next', 'active')"),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("certificate_type", sa.String(length=32), nullable=False),
        sa.Column("certificate_number", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("region", sa.String(length=12), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unmanaged_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restricted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_unit_certificate_number", "unit", ["certificate_number"])
    op.create_table(
        "binding",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.String(length=80), nullable=False),
        sa.Column("via", sa.String(length=80), nullable=True),
        sa.Column("entrustment_id", sa.String(length=36), nullable=True),
        sa.Column("agency_binding_id", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("person_name", sa.LargeBinary(), nullable=False),
        sa.Column("login_name", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("suspended_for", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(16), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_binding_id"],
            ["binding.id"],
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["via"],
            ["unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "binding_ending",
        "binding",
        ["valid_until"],
        postgresql_where=sa.text(LIVE),
    )
    op.create_index(
        "binding_invited", "binding", ["expires_at"], postgresql_where=sa.text("state = 'invited'")
    )
    op.create_index("binding_of_person", "binding", ["person_id", "created_at", "id"])
    op.create_index("binding_of_unit", "binding", ["unit_id", "created_at", "id"])
    op.create_index("ix_binding_agency_binding_id", "binding", ["agency_binding_id"])
    op.create_index("ix_binding_changed_at", "binding", ["changed_at"])
    op.create_index("ix_binding_entrustment_id", "binding", ["entrustment_id"])
    op.create_index("ix_binding_via", "binding", ["via"])
    op.create_index(
        "one_live_binding",
        "binding",
        ["unit_id", "person_id"],
        unique=True,
        postgresql_where=sa.text(f"{LIVE} AND via IS NULL"),
    )
    op.create_index(
        "one_live_binding_per_agency",
        "binding",
        ["unit_id", "person_id", "via"],
        unique=True,
        postgresql_where=sa.text(f"{LIVE} AND via IS NOT NULL"),
    )
    op.create_table(
        "permission_grant",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("binding_id", sa.String(length=36), nullable=False),
        sa.Column("business", sa.String(length=80), nullable=False),
        sa.Column("actions", postgresql.ARRAY(sa.String(length=16)), nullable=False),
        sa.Column("region", sa.String(length=12), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("begun", sa.Boolean(), nullable=False),
        sa.Column("granted_by", sa.String(length=80), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending", sa.String(16), nullable=True),
        sa.ForeignKeyConstraint(
            ["binding_id"],
            ["binding.id"],
        ),
        sa.ForeignKeyConstraint(
            ["business"],
            ["business.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_live_grant",
        "permission_grant",
        ["binding_id", "business"],
        unique=True,
        postgresql_where=NOT_ENDED,
    )
    op.create_index(
        "permission_grant_beginning",
        "permission_grant",
        ["valid_from"],
        postgresql_where=sa.text("ended_at IS NULL AND NOT begun"),
    )
    op.create_index(
        "permission_grant_ending",
        "permission_grant",
        ["valid_until"],
        postgresql_where=NOT_ENDED,
    )
    op.create_index(
        "permission_grant_of_binding", "permission_grant", ["binding_id", "granted_at", "id"]
    )


def downgrade() -> None:
    for table in ("permission_grant", "binding", "unit", "mandate_key", "business", "account"):
        op.drop_table(table)
