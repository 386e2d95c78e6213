"""The service guide of 终止登记申诉, which every business has (ER-10)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from servicekit.columns import new_id

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ITEM = "ending-objection"
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
CONTENT = {
    "introduction": "收到登记将终止的告知、认为与事实不符的人员，向公共就业服务机构申诉。",
    "audience": "收到终止就业登记或失业登记告知的人员",
    "stated_conditions": [
        {
            "code": "untrue",
            "text": "告知所依据的情况（参保、养老待遇、退休年龄、死亡登记）与事实不符。",
        }
    ],
    "materials": [
        {
            "code": "identity",
            "name": "本人实名信息",
            "note": "由统一身份认证带出，无需上传证件；实名等级须达到二级。",
            "needed": True,
        },
        {
            "code": "explanation",
            "name": "情况说明",
            "note": "在线填写；可写明离职证明、单位联系方式等线索。",
            "needed": True,
        },
    ],
    "steps": [
        "进入“终止告知”，查看终止的登记、原因和日期。",
        "点击【申诉】，填写情况说明并提交；审核期间登记不终止。",
        "审核结果以短信和站内消息告知；申诉成立的，登记继续有效。",
    ],
    "result": "申诉成立的，登记继续有效；不成立的，登记终止。",
    "notes": [
        "不申诉的，登记在告知的日期终止。",
        "审核期限和补正期限以告知为准；可以撤回申诉，也可以催办。",
    ],
    "remedies": [
        "对审核结果有疑问的，可向受理地的公共就业服务机构或拨打12333咨询；对服务有意见的，可拨打12345投诉。",
        "对审核结果不服的，可以自知道该结果之日起60日内依法申请行政复议（行政复议法第二十条）。",
        "也可以自知道该结果之日起6个月内依法提起行政诉讼（行政诉讼法第四十六条）。",
    ],
    "fee": "不收费",
    "legal_bases": [
        {"title": "就业服务与就业管理规定", "clause": "第六十六条"},
        {"title": "广东省就业和失业登记管理办法（2021年）", "clause": None},
    ],
    "contacts": [],
}
CONDITIONS = [
    {
        "code": "announced",
        "text": "收到终止登记的告知，登记尚未终止。",
        "next_step": "没有收到告知的，无需申诉；登记已终止的，符合条件可重新办理登记。",
    },
    {
        "code": "not-objected",
        "text": "没有正在审核的申诉。",
        "next_step": "请等待审核结果；需要改写的，请先撤回申诉再重新提出。",
    },
    {
        "code": "in-time",
        "text": "在告知的终止日期之前提出。",
        "next_step": "终止日期已到的，符合条件可重新办理登记。",
    },
]


def upgrade() -> None:
    """Put in its first version."""
    row = {"id": new_id(), "item": ITEM, "version": 1, "title": "终止登记申诉"}
    row |= {"content": CONTENT, "conditions": CONDITIONS, "published_by": "system:migration"}
    op.execute(GUIDES.insert().values(**row, published_at=sa.func.now()))


def downgrade() -> None:
    """Take it away, with what was published since."""
    op.execute(GUIDES.delete().where(GUIDES.c.item == ITEM))
