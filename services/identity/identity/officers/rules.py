"""Who may be an officer, where and for what?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from identity import password_policy
from identity.accounts.rules import PERSON_NAME, check_login_name
from servicekit import regions
from servicekit.errors import FieldError, Invalid, NotFound
from servicekit.workflow import Role

REGION: Final = re.compile(r"[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12}")
BUSINESS: Final = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*")
ROLES: Final = frozenset({Role.WINDOW, Role.REVIEWER, Role.APPROVER, Role.ADMIN})
ISSUER_NAME: Final = "广东公共就业服务"  # what the authenticator shows above the code


class AppointmentRefused(Invalid):
    """Something in the form is wrong."""

    code = "officer-refused"


class NoOfficer(NotFound):
    """There is no such officer."""

    code = "officer-not-found"
    default_message = "未找到该经办人员"


@dataclass(frozen=True, slots=True)
class Appointment:
    """What an admin writes down about a new officer."""

    name: str = field(repr=False)
    login_name: str = field(repr=False)
    phone: str = field(repr=False)
    region: str
    businesses: tuple[str, ...]
    roles: tuple[str, ...]


def check_appointment(appointment: Appointment, *, phone_wrong: list[FieldError]) -> None:
    """Refuse an appointment with every wrong field at once (ID-45).

    Raises:
        AppointmentRefused: naming each.
    """
    wrong = [*check_login_name(appointment.login_name), *phone_wrong]
    if not PERSON_NAME.fullmatch(appointment.name):
        wrong.append(FieldError("/name", "name-malformed", "姓名应为 2–50 个汉字或字母"))
    if not REGION.fullmatch(appointment.region):
        wrong.append(
            FieldError("/region", "region-malformed", "行政区划代码应为 2、4、6、9 或 12 位数字")
        )
    elif regions.find(appointment.region[: regions.STREET_DIGITS]) is None:
        wrong.append(FieldError("/region", "region-unknown", "请选择广东省内的行政区划"))
    roles = set(appointment.roles)
    if not roles or not roles <= {str(r) for r in ROLES}:
        wrong.append(FieldError("/roles", "role-unknown", "请选择经办人员的角色"))
    if any(not BUSINESS.fullmatch(b) for b in appointment.businesses):
        wrong.append(FieldError("/businesses", "business-malformed", "业务代码有误"))
    if not appointment.businesses and roles - {str(Role.ADMIN)}:
        wrong.append(FieldError("/businesses", "required", "请选择该人员经办的业务"))
    if wrong:
        raise AppointmentRefused(fields=wrong)


def check_password(policy: password_policy.Policy, password: str, login_name: str) -> None:
    """A chosen password obeys the same policy as a person's.

    Raises:
        AppointmentRefused: with everything that is wrong.
    """
    wrong = password_policy.check(policy, password, context=(login_name,))
    if wrong:
        raise AppointmentRefused(fields=wrong)
