"""The guides' second versions: entries with codes, notes, remedies, citations put right."""

import json
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from servicekit.columns import new_id

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

SECOND = Path(__file__).parents[1] / "second_guides.json"
US = "system:migration"
GUIDES = sa.table(
    "guide_version",
    sa.column("id"),
    sa.column("item"),
    sa.column("version"),
    sa.column("title"),
    sa.column("content", JSONB),
    sa.column("conditions", JSONB),
    sa.column("published_by"),
    sa.column("published_at"),
)


def upgrade() -> None:
    """Follow the first versions, but none that an admin has published since."""
    connection = op.get_bind()
    for item, content in json.loads(SECOND.read_text("utf-8")).items():
        of_item = sa.select(GUIDES).where(GUIDES.c.item == item)
        newest = connection.execute(of_item.order_by(GUIDES.c.version.desc()).limit(1)).one()
        if newest.published_by != US:
            continue
        row = {"id": new_id(), "item": item, "version": newest.version + 1, "content": content}
        row |= {"title": newest.title, "conditions": newest.conditions, "published_by": US}
        op.execute(GUIDES.insert().values(**row, published_at=sa.func.now()))


def downgrade() -> None:
    """Take back what is ours and was followed by nothing."""
    later = GUIDES.alias()
    of_item = later.c.item == GUIDES.c.item
    followed = sa.exists().where(of_item, later.c.version > GUIDES.c.version)
    ours = sa.and_(GUIDES.c.version > 1, GUIDES.c.published_by == US)
    op.execute(GUIDES.delete().where(ours, ~followed))
