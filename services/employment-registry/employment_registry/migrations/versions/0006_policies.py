"""Policies with effective dates, and those in force today."""

import json
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from servicekit.columns import new_id

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FIRST = Path(__file__).parents[1] / "first_policies.json"
TIME = sa.DateTime(timezone=True)
RULES = {
    "four_eyes": "activated_by IS DISTINCT FROM drafted_by",
    "activated": "status <> 'active' OR activated_by IS NOT NULL",
    "not_in_the_past": "activated_at IS NULL "
    "OR ((activated_at AT TIME ZONE 'Asia/Shanghai')::date) <= in_force_from",
    "not_taken_back": "withdrawn_at IS NULL OR activated_by IS NULL "
    "OR ((withdrawn_at AT TIME ZONE 'Asia/Shanghai')::date) < in_force_from",
}


def upgrade() -> None:
    """Create the table and put in what held before it."""
    table = op.create_table(
        "policy",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("value", JSONB, nullable=False),
        sa.Column("in_force_from", sa.Date, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("drafted_by", sa.String(80), nullable=False),
        sa.Column("drafted_at", TIME, nullable=False),
        sa.Column("activated_by", sa.String(80)),
        sa.Column("activated_at", TIME),
        sa.Column("withdrawn_by", sa.String(80)),
        sa.Column("withdrawn_at", TIME),
        *(sa.CheckConstraint(rule, name=f"policy_{name}") for name, rule in RULES.items()),
    )
    op.create_index(
        "policy_first_day",
        "policy",
        ["kind", "in_force_from"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    for row in json.loads(FIRST.read_text("utf-8")):
        said = {
            "id": new_id(),
            "status": "active",
            "drafted_by": "system:employment-registry",
            "drafted_at": sa.func.now(),
            "activated_by": "system:migration",
        }
        day = {"in_force_from": date.fromisoformat(row["in_force_from"])}
        op.execute(table.insert().values({**row, **said, **day}))


def downgrade() -> None:
    """Drop it."""
    op.drop_table("policy")
