"""What must lie on the desk, and who may not be proved there?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from servicekit.errors import Conflict, Forbidden, NotFound

# What lies on the desk (5.A6, 5.G2); all of it must have been seen.
PERSON_MATERIALS: Final = ("identity-document",)
UNIT_MATERIALS: Final = ("business-licence", "authorisation-letter", "agent-identity-document")


class NobodyAtDesk(NotFound):
    """No account holds what was presented, or name and number do not belong together."""

    code = "on-site-account-not-found"
    default_message = "未找到与所出示证件一致的账号，请核对姓名（名称）和号码，或先注册账号"


class MaterialsMissing(Conflict):
    """Not everything needed was presented."""

    code = "on-site-materials-missing"
    default_message = "材料不齐，不能办理现场核验"


class OwnDesk(Forbidden):
    """Nobody proves himself."""

    code = "on-site-own-account"
    default_message = "不能为本人办理现场核验，请由其他窗口人员办理"


class OtherRegion(Forbidden):
    """The unit is registered outside the officer's region."""

    code = "on-site-other-region"
    default_message = "该单位不在您的管辖区域内，请到单位所在地的办事大厅办理"


def check_materials(kind: str, presented: Collection[str]) -> None:
    """Refuse when something is missing."""
    needed = PERSON_MATERIALS if kind == "person" else UNIT_MATERIALS
    if set(needed) - set(presented):
        raise MaterialsMissing(extra={"materials": list(needed)})
