"""How a caller is refused whom a route's mark does not let in; each says what to do next."""

from __future__ import annotations

from typing import ClassVar, Final

from servicekit import messages
from servicekit.errors import JSON, Forbidden, Unauthenticated
from servicekit.web.tokens import UNIT_LEVEL

OFFICER_ACR: Final = "urn:gdhrss:aal:2"  # ID-45: officers show a second factor
_NUMERALS: Final = {1: "一", 2: "二", 3: "三"}
# The province's 三级, 四级 and 五级 by their old names, as the messages have them.
_UNIT_NAMES: Final = {3: "L1", 4: "L2", 5: "L3"}


class LoginNeeded(Unauthenticated):
    """There is no token."""

    code = "login-needed"
    challenge: ClassVar[str] = 'Bearer realm="jiuye"'


class PersonalSessionRequired(Forbidden):
    """A unit acts where only a natural person may (PRT-02)."""

    code = messages.PERSONAL_SESSION_REQUIRED.code
    default_message = messages.PERSONAL_SESSION_REQUIRED.text


class UnitSessionRequired(Forbidden):
    """A person acts for themselves where only a unit may."""

    code = "unit-session-required"
    default_message = "单位办理业务需以法人身份登录"


class UnitAccountRequired(Forbidden):
    """A person acts for a unit where only the unit's own account may."""

    code = "unit-account-required"
    default_message = "此操作须由单位账号登录后办理，经办人不能代为办理"


class DelegateRequired(Forbidden):
    """The unit's own account does no business (EA-01, PRT-10)."""

    code = messages.DELEGATE_REQUIRED.code
    default_message = messages.DELEGATE_REQUIRED.text


class UnitFrozen(Forbidden):
    """An objection froze the unit: its own account reads, and does nothing (EA-12)."""

    code = "unit-frozen"
    default_message = "单位账号已冻结，请联系当地人社部门核实；解除冻结后方可办理。"


class UsccAccountRequired(Forbidden):
    """The unit registered by an organisation code, with which nobody works here (ID-26)."""

    code = messages.USCC_ACCOUNT_REQUIRED.code
    default_message = messages.USCC_ACCOUNT_REQUIRED.text


class NotGranted(Forbidden):
    """The unit did not give this person the business, or not this action of it (EA-06)."""

    code = "not-granted"
    default_message = "单位未授予您办理该业务的权限，请联系单位账号的管理人员授权后重新进入"


class ScopeMissing(Forbidden):
    """A system's client was not given this scope (RFC 6750, 3.1)."""

    code = "scope-missing"
    default_message = "该接入系统未获得此接口的授权"


class OtherBusiness(Forbidden):
    """The officer works in other businesses."""

    code = "other-business"
    default_message = "您没有办理该业务的权限"


class LevelTooLow(Unauthenticated):
    """Known, but not well enough: the step-up challenge of RFC 9470 (ID-42)."""

    code = messages.REALNAME_LEVEL_TOO_LOW.code
    default_message = messages.REALNAME_LEVEL_TOO_LOW.text

    def __init__(self, acr: str, *, level: int, required: int) -> None:
        message = "请使用第二验证因素重新登录"
        if acr != OFFICER_ACR:
            numeral = _NUMERALS.get(required, str(required))
            message = f"当前账号实名等级不足，请至少提升至{numeral}级实名后重试"
        super().__init__(message, extra=_step_up(acr, level, required))
        self.challenge = _challenge(acr)


class UnitLevelTooLow(Unauthenticated):
    """The unit is not known well enough for the business (ID-25): the same challenge."""

    code = messages.UNIT_LEVEL_TOO_LOW.code
    default_message = messages.UNIT_LEVEL_TOO_LOW.text

    def __init__(self, *, level: int, required: int) -> None:
        acr = f"{UNIT_LEVEL}{required}"
        name = _UNIT_NAMES.get(required, str(required))
        message = messages.UNIT_LEVEL_TOO_LOW.text.replace("L3", name)
        super().__init__(message, extra=_step_up(acr, level, required))
        self.challenge = _challenge(acr)


def _step_up(acr: str, level: int, required: int) -> dict[str, JSON]:
    return {"acr_values": acr, "level": level, "required_level": required}


def _challenge(acr: str) -> str:
    return (
        'Bearer realm="jiuye", error="insufficient_user_authentication", '
        f'error_description="A higher level of assurance is needed", acr_values="{acr}"'
    )
