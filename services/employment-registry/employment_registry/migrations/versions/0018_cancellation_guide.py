"""The service guide of 灵活就业登记注销, which every business has (ER-10)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from servicekit.columns import new_id

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ITEM = "flexible-employment-cancellation"
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
# 个人业务指引 1.2.2.3
CONTENT = {
    "introduction": "不再灵活就业的人员，注销本人的灵活就业登记。",
    "audience": "已办理灵活就业登记的人员",
    "stated_conditions": ["不再以灵活方式就业（由用人单位办理就业登记的，原登记由系统终止）。"],
    "materials": [
        {
            "name": "本人实名信息",
            "note": "由统一身份认证带出，无需上传证件；实名等级须达到二级。",
            "needed": True,
        },
        {"name": "注销原因", "note": "在线填写。", "needed": True},
    ],
    "steps": [
        "进入“个人就业登记网上申请”，在审核通过的申请一行点击【注销】。",
        "填写注销原因；注销后该登记即为无效，且不可恢复，请谨慎操作。",
        "点击【提交】，即时生效，无需审核。",
    ],
    "result": "灵活就业登记无效；如再次灵活就业，请重新办理登记。",
    "fee": "不收费",
    "legal_bases": [
        {"title": "就业服务与就业管理规定", "clause": "第六十二条、第六十三条"},
        {"title": "广东省就业和失业登记管理办法", "clause": None},
    ],
    "contacts": [],
}
CONDITIONS = [
    {
        "code": "registered",
        "text": "已办理灵活就业登记，且登记有效。",
        "next_step": (
            "只能注销审核通过且有效的登记；尚未审核的申请请撤回或删除，已无效的登记无需注销。"
        ),
    }
]


def upgrade() -> None:
    """Put in its first version."""
    row = {"id": new_id(), "item": ITEM, "version": 1, "title": "灵活就业登记注销"}
    row |= {"content": CONTENT, "conditions": CONDITIONS, "published_by": "system:migration"}
    op.execute(GUIDES.insert().values(**row, published_at=sa.func.now()))


def downgrade() -> None:
    """Take it away, with what was published since."""
    op.execute(GUIDES.delete().where(GUIDES.c.item == ITEM))
