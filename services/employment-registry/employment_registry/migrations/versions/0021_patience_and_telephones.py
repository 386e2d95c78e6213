"""How patiently registers are asked, and when a shared telephone is shown, are policies."""

from datetime import date

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from servicekit.columns import new_id

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

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
# What held before: the settings' defaults and a constant.
FIRST = {
    "check-patience": (
        {"attempts": 5, "first_pause_seconds": 5, "longest_minutes": 15},
        "本平台默认值：外厅局接口异常时自动重试，最多5次、最长15分钟后告知申请人",
    ),
    "shared-phone": (
        {"others": 3},
        "本平台默认值：另有3人及以上使用同一联系电话时提示经办人员（家庭成员常共用电话）",
    ),
}


def upgrade() -> None:
    """Put in what held before."""
    for kind, (value, source) in FIRST.items():
        row = {
            "id": new_id(),
            "kind": kind,
            "value": value,
            "in_force_from": date(2015, 1, 1),
            "source": source,
            "status": "active",
            "drafted_by": "system:employment-registry",
            "activated_by": "system:migration",
        }
        op.execute(POLICIES.insert().values(**row, drafted_at=sa.func.now()))


def downgrade() -> None:
    """Take them away, with what was drafted since."""
    op.execute(POLICIES.delete().where(POLICIES.c.kind.in_(list(FIRST))))
