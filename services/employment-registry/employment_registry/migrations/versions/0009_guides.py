"""Service guides by version, their first texts, and the version an application is filed under."""

import json
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from servicekit.columns import new_id

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FIRST = Path(__file__).parents[1] / "first_guides.json"
APPLICATIONS = (
    "flexible_employment_application",
    "unemployment_application",
    "certificate_application",
)


def upgrade() -> None:
    """Create the table, put in the first versions, and add the column to what is filed."""
    table = op.create_table(
        "guide_version",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("item", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("conditions", JSONB, nullable=False),
        sa.Column("published_by", sa.String(80), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("item", "version", name="guide_version_once"),
    )
    for row in json.loads(FIRST.read_text("utf-8")):
        said = {"id": new_id(), "version": 1, "published_by": "system:migration"}
        op.execute(table.insert().values(**row, **said, published_at=sa.func.now()))
    for name in APPLICATIONS:
        op.add_column(name, sa.Column("guide_version", sa.Integer))


def downgrade() -> None:
    """Take them away."""
    for name in APPLICATIONS:
        op.drop_column(name, "guide_version")
    op.drop_table("guide_version")
