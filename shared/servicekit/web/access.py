"""Who may use a route: a mark on the view, read by the dispatcher, the contracts and the tests.

Nothing is open by default: a route without a mark stops the start. Marks are plain data::

    @access(Role.APPLICANT, level=2, kinds=("person",))
    @access(Role.APPLICANT, kinds=("unit",), grants="recruitment.jobs:submit", unit_level=5)
    @access(Role.REVIEWER, business="employment-registry.flexible-employment")
    @access(Role.SYSTEM, scopes=("notices",))
    @public
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from servicekit.applications import Actor
from servicekit.errors import Forbidden
from servicekit.web.refusals import (
    OFFICER_ACR,
    DelegateRequired,
    LevelTooLow,
    LoginNeeded,
    NotGranted,
    OtherBusiness,
    PersonalSessionRequired,
    ScopeMissing,
    UnitAccountRequired,
    UnitFrozen,
    UnitLevelTooLow,
    UnitSessionRequired,
    UsccAccountRequired,
)
from servicekit.web.tokens import ORGANISATION_CODE, PERSON_LEVEL, Claims
from servicekit.workflow import Role, WrongRole

Kind = Literal["visitor", "person", "unit", "officer", "system"]
View = TypeVar("View", bound=Callable[..., Any])

_MARK = "access_mark"
_OFFICERS: frozenset[Kind] = frozenset({"officer"})
_KINDS: dict[Role, frozenset[Kind]] = {
    Role.APPLICANT: frozenset({"person", "unit"}),
    Role.WINDOW: _OFFICERS,
    Role.REVIEWER: _OFFICERS,
    Role.APPROVER: _OFFICERS,
    Role.ADMIN: _OFFICERS,
    Role.SYSTEM: frozenset({"system"}),
}


_ROLES_IN_CHINESE: dict[Role, str] = {
    Role.APPLICANT: "申请人", Role.WINDOW: "窗口人员", Role.REVIEWER: "审核人员",
    Role.APPROVER: "审批人员", Role.ADMIN: "管理员", Role.SYSTEM: "接入系统",
}  # fmt: skip
_KINDS_IN_CHINESE: dict[Kind, str] = {
    "visitor": "访客", "person": "个人", "unit": "单位", "officer": "经办人员", "system": "系统",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """Who may use a route.

    ``roles`` in the order in which they are tried; none means everybody, logged in or not.
    """

    roles: tuple[Role, ...] = ()
    kinds: frozenset[Kind] = frozenset()
    level: int = 0
    business: str | None = None
    grants: str | None = None
    unit_level: int = 0
    unit_account: bool = False
    uscc: bool = False
    acting: bool = False
    scopes: frozenset[str] = frozenset()
    keyed: bool = True
    parted: bool = False
    while_frozen: bool = False
    max_body: int | None = None

    @property
    def is_public(self) -> bool:
        """May a visitor use it?"""
        return not self.roles

    @property
    def sentence(self) -> str:
        """For the API's documentation."""
        if self.is_public:
            return "Open to everybody."
        said = f"For {', '.join(self.roles)} ({', '.join(sorted(self.kinds))})"
        said += f", level {self.level} or above" if self.level else ""
        said += f", units of province level {self.unit_level} or above" if self.unit_level else ""
        said += f", acting with {self.grants}" if self.grants else ""
        said += " or by the unit account" if self.grants and self.unit_account else ""
        said += ", not for units of an organisation code" if self.uscc else ""
        said += f", scope {' '.join(sorted(self.scopes))}" if self.scopes else ""
        return said + (f", business {self.business}." if self.business else ".")

    @property
    def chinese_sentence(self) -> str:
        """`sentence` in Chinese."""
        if self.is_public:
            return "所有人均可使用，无需登录。"
        roles = "、".join(_ROLES_IN_CHINESE[role] for role in self.roles)
        kinds = "、".join(_KINDS_IN_CHINESE[kind] for kind in sorted(self.kinds))
        said = f"适用于{roles}（{kinds}）"
        said += f"，实名等级 {self.level} 及以上" if self.level else ""
        said += f"，省统一认证等级 {self.unit_level} 及以上的单位" if self.unit_level else ""
        said += f"，须以 {self.grants} 授权经办" if self.grants else ""
        said += "，或由单位账号办理" if self.grants and self.unit_account else ""
        said += "，以组织机构代码注册的单位除外" if self.uscc else ""
        said += f"，权限范围 {' '.join(sorted(self.scopes))}" if self.scopes else ""
        return said + (f"，业务 {self.business}。" if self.business else "。")


def access(
    *roles: Role,
    level: int = 0,
    kinds: Iterable[Kind] = (),
    business: str | None = None,
    grants: str | None = None,
    unit_level: int = 0,
    unit_account: bool = False,
    uscc: bool = False,
    acting: bool = False,
    scopes: Iterable[str] = (),
) -> Callable[[View], View]:
    """Let these roles use the route.

    Args:
        roles: tried in this order; the first the token has becomes the actor's role.
        level: the least HRSS level of the person, for himself or acting; below it, RFC 9470's
            challenge.
        kinds: who may be the applicant; person and unit when not given.
        business: what an officer must work in, as the token's ``businesses`` name it.
        grants: ``<business>:<action>`` a person must hold who acts for a unit. Without it nobody
            acts here: the route is for people themselves and for the unit's own account.
        unit_level: the least province level of the unit: 3, 4 or 5 (原 L1, L2, L3).
        unit_account: with ``grants``, may the unit's own account do it too (EA-01)?
        uscc: refuse units that registered by an organisation code, as the employment platform does
            (ID-26).
        acting: may everybody use it who acts for the unit, whatever the grant (its messages)?
        scopes: what a system's client must have been given, all of them.
    """
    if not roles:
        raise ValueError("name the roles, or say @public")
    holders = {**_KINDS, Role.APPLICANT: frozenset(kinds) or _KINDS[Role.APPLICANT]}
    allowed = frozenset[Kind]().union(*(holders[role] for role in roles))
    return _put(
        roles=roles,
        kinds=allowed,
        level=level,
        business=business,
        grants=grants,
        unit_level=unit_level,
        unit_account=unit_account,
        uscc=uscc,
        acting=acting,
        scopes=frozenset(scopes),
    )


def public(view: View) -> View:
    """Let everybody use the route; tokens are not looked at, the actor is a visitor."""
    return _put(roles=())(view)


def unkeyed(view: View) -> View:
    """Spare the route the Idempotency-Key, where doing it twice is harmless or the point."""
    return _put(keyed=False)(view)


def parted(view: View) -> View:
    """Let the view commit part by part, each under the request's key (``idempotency.part``)."""
    return _put(parted=True)(view)


def while_frozen(view: View) -> View:
    """Let a frozen unit's own account use the route, though it is no question: it ends a login,
    takes a consent back, marks a message as read (EA-12)."""
    return _put(while_frozen=True)(view)


def large_body(limit: int) -> Callable[[View], View]:
    """Let the route take bodies up to ``limit`` bytes."""
    return _put(max_body=limit)


def mark_of(view: Callable[..., Any]) -> Mark | None:
    """The view's mark; None when nobody said who may use it."""
    found: dict[str, Any] = getattr(view, _MARK, {})
    return Mark(**found) if "roles" in found else None


def identify(mark: Mark, claims: Claims | None, *, asks: bool = True) -> Actor:
    """Who is asking, if they may.

    Args:
        asks: is it a question only (GET), and nothing is done?

    Raises:
        LoginNeeded, LevelTooLow, UnitLevelTooLow: 401.
        PersonalSessionRequired, UnitSessionRequired, UnitAccountRequired, DelegateRequired,
        NotGranted, WrongRole, OtherBusiness, ScopeMissing, UnitFrozen: 403.
    """
    if mark.is_public:
        return VISITOR
    if claims is None:
        raise LoginNeeded
    if claims.kind not in mark.kinds:
        raise _wrong_kind(mark, claims)
    role = next((role for role in mark.roles if role in _roles(claims)), None)
    if role is None:
        raise WrongRole
    _CHECKS[claims.kind](mark, claims)
    if claims.is_frozen and not asks and not mark.while_frozen:
        raise UnitFrozen
    return claims.actor if claims.actor.role is role else replace(claims.actor, role=role)


VISITOR = Actor(id="visitor", role=Role.APPLICANT, kind="visitor")


def _put(**values: Any) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        setattr(view, _MARK, {**getattr(view, _MARK, {}), **values})
        return view

    return decorate


def _roles(claims: Claims) -> frozenset[Role]:
    if claims.kind == "officer":
        return frozenset(role for role in Role if role in claims.roles)
    return frozenset({Role.SYSTEM if claims.kind == "system" else Role.APPLICANT})


def _wrong_kind(mark: Mark, claims: Claims) -> Forbidden:
    if claims.kind == "unit" and "person" in mark.kinds:
        return PersonalSessionRequired()
    if claims.kind == "person" and "unit" in mark.kinds:
        return UnitSessionRequired()
    return WrongRole()


def _check_person(mark: Mark, claims: Claims) -> None:
    if claims.level < mark.level:
        acr = f"{PERSON_LEVEL}{mark.level}"
        raise LevelTooLow(acr, level=claims.level, required=mark.level)


def _check_unit(mark: Mark, claims: Claims) -> None:
    if mark.uscc and claims.certificate_type == ORGANISATION_CODE:
        raise UsccAccountRequired
    if claims.actor.is_acting:
        if mark.acting:
            return
        if mark.grants is None:
            raise PersonalSessionRequired if "person" in mark.kinds else UnitAccountRequired
        if mark.grants not in claims.actor.permissions:
            raise NotGranted(extra={"needed": mark.grants})
        _check_person(mark, claims)
    elif mark.grants is not None and not mark.unit_account:
        raise DelegateRequired
    if claims.unit_level < mark.unit_level:
        raise UnitLevelTooLow(level=claims.unit_level, required=mark.unit_level)


def _check_officer(mark: Mark, claims: Claims) -> None:
    if claims.acr != OFFICER_ACR:
        raise LevelTooLow(OFFICER_ACR, level=0, required=2)
    if mark.business is not None and mark.business not in claims.businesses:
        raise OtherBusiness


def _check_system(mark: Mark, claims: Claims) -> None:
    if not mark.scopes <= claims.scopes:
        raise ScopeMissing(extra={"scope": " ".join(sorted(mark.scopes))})


_CHECKS: dict[str, Callable[[Mark, Claims], None]] = {
    "person": _check_person,
    "unit": _check_unit,
    "officer": _check_officer,
    "system": _check_system,
}
