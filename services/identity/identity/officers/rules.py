"""Who may be an officer, where and for what?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from identity import password_policy
from identity.accounts.rules import PERSON_NAME, check_login_name
from servicekit import regions
from servicekit.errors import FieldError, Forbidden, Invalid, NotFound
from servicekit.workflow import Role

REGION: Final = re.compile(r"[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12}")
BUSINESS: Final = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*")
ROLES: Final = frozenset({Role.WINDOW, Role.REVIEWER, Role.APPROVER, Role.ADMIN})
_NOT_YOURS: Final = "请选择本行政区划或下级行政区划"
ISSUER_NAME: Final = "广东公共就业服务"  # what the authenticator shows above the code


class AppointmentRefused(Invalid):
    """Something in the form is wrong."""

    code = "officer-refused"


class NoOfficer(NotFound):
    """There is no such officer."""

    code = "officer-not-found"
    default_message = "未找到该经办人员"


class OutsideRegion(Forbidden):
    """An admin keeps the officers of the own region and below (ID-45)."""

    code = "region-not-yours"
    default_message = "只能管理本行政区划及下级的经办人员"


@dataclass(frozen=True, slots=True)
class Appointment:
    """What an admin writes down about a new officer."""

    name: str = field(repr=False)
    login_name: str = field(repr=False)
    phone: str = field(repr=False)
    region: str
    businesses: tuple[str, ...]
    roles: tuple[str, ...]


class OtherColleagues(Forbidden):
    """Officers look for colleagues in what they do themselves."""

    code = "other-business"
    default_message = "只能查询本人经办业务的同事"


def check_own_business(businesses: Collection[str], business: str) -> None:
    """Is it one of the asker's own?

    Raises:
        OtherColleagues
    """
    if business not in businesses:
        raise OtherColleagues


def check_appointment(appointment: Appointment, *, phone_wrong: list[FieldError]) -> None:
    """Refuse an appointment with every wrong field at once (ID-45).

    Raises:
        AppointmentRefused: naming each.
    """
    wrong = [*check_login_name(appointment.login_name), *phone_wrong]
    if not PERSON_NAME.fullmatch(appointment.name):
        wrong.append(FieldError("/name", "name-malformed", "姓名应为 2–50 个汉字或字母"))
    wrong += check_duties(appointment.region, appointment.businesses, appointment.roles)
    if wrong:
        raise AppointmentRefused(fields=wrong)


def check_businesses(businesses: Iterable[str], known: Collection[str]) -> None:
    """Refuse businesses nobody offers.

    Raises:
        AppointmentRefused: naming them.
    """
    unknown = sorted(set(businesses) - set(known))
    if unknown:
        text = f"没有这些业务：{'、'.join(unknown)}"
        raise AppointmentRefused(fields=[FieldError("/businesses", "business-unknown", text)])


def check_keeps(admin_region: str | None, region: str) -> None:
    """May an admin of one region keep officers of the other?

    Raises:
        OutsideRegion: it is not the own region, nor below it.
    """
    if not admin_region or not region.startswith(admin_region):
        raise OutsideRegion(fields=[FieldError("/region", OutsideRegion.code, _NOT_YOURS)])


def check_duties(
    region: str, businesses: Collection[str], roles: Collection[str]
) -> list[FieldError]:
    """Where, for what and as what; the same for a new officer and a changed one."""
    wrong = []
    if not REGION.fullmatch(region):
        text = "行政区划代码应为 2、4、6、9 或 12 位数字"
        wrong.append(FieldError("/region", "region-malformed", text))
    elif regions.find(region[: regions.STREET_DIGITS]) is None:
        wrong.append(FieldError("/region", "region-unknown", "请选择广东省内的行政区划"))
    if not roles or not set(roles) <= {str(r) for r in ROLES}:
        wrong.append(FieldError("/roles", "role-unknown", "请选择经办人员的角色"))
    if any(not BUSINESS.fullmatch(b) for b in businesses):
        wrong.append(FieldError("/businesses", "business-malformed", "业务代码有误"))
    if not businesses and set(roles) - {str(Role.ADMIN)}:
        wrong.append(FieldError("/businesses", "required", "请选择该人员经办的业务"))
    return wrong


def check_password(policy: password_policy.Policy, password: str, login_name: str) -> None:
    """A chosen password obeys the same policy as a person's.

    Raises:
        AppointmentRefused: with everything that is wrong.
    """
    wrong = password_policy.check(policy, password, context=(login_name,))
    if wrong:
        raise AppointmentRefused(fields=wrong)
