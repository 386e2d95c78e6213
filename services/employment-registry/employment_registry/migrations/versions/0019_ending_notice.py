"""How long the ending of a registration is announced before is a policy, not a setting."""

from datetime import date

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from servicekit.columns import new_id

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KIND = "ending-notice"
POLICIES = sa.table(
    "policy",
    sa.column("id"),
    sa.column("kind"),
    sa.column("value", JSONB),
    sa.column("in_force_from"),
    sa.column("source"),
    sa.column("status"),
    sa.column("drafted_by"),
    sa.column("drafted_at"),
    sa.column("activated_by"),
)


def upgrade() -> None:
    """Put in what held before it: the settings' defaults and a constant."""
    row = {
        "id": new_id(),
        "kind": KIND,
        "value": {"notice": 10, "review": 5, "correction": 5},
        "in_force_from": date(2015, 1, 1),
        "source": "本平台默认值：告知10个工作日，申诉审核和补正各5个工作日",
        "status": "active",
        "drafted_by": "system:employment-registry",
        "activated_by": "system:migration",
    }
    op.execute(POLICIES.insert().values(**row, drafted_at=sa.func.now()))


def downgrade() -> None:
    """Take it away, with what was drafted since."""
    op.execute(POLICIES.delete().where(POLICIES.c.kind == KIND))
