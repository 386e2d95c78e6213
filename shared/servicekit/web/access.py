"""Who may use a route: a mark on the view, read by the dispatcher, the contracts and the tests.

Nothing is open by default: a route without a mark stops the start. Marks are plain data::

    @access(Role.APPLICANT, level=2, kinds=("person",))
    @access(Role.REVIEWER, business="employment-registry.flexible-employment")
    @public
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeVar

from servicekit import messages
from servicekit.applications import Actor
from servicekit.errors import JSON, Forbidden, Unauthenticated
from servicekit.web.tokens import Claims
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
_NUMERALS = {1: "一", 2: "二", 3: "三"}
OFFICER_ACR = "urn:gdhrss:aal:2"  # ID-45: officers show a second factor


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
        extra: dict[str, JSON] = {"acr_values": acr, "level": level, "required_level": required}
        super().__init__(message, extra=extra)
        self.challenge = (
            'Bearer realm="jiuye", error="insufficient_user_authentication", '
            f'error_description="A higher level of assurance is needed", acr_values="{acr}"'
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """Who may use a route.

    ``roles`` in the order in which they are tried; none means everybody, logged in or not.
    """

    roles: tuple[Role, ...] = ()
    kinds: frozenset[Kind] = frozenset()
    level: int = 0
    business: str | None = None
    keyed: bool = True
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
        return said + (f", business {self.business}." if self.business else ".")


def access(
    *roles: Role, level: int = 0, kinds: Iterable[Kind] = (), business: str | None = None
) -> Callable[[View], View]:
    """Let these roles use the route.

    Args:
        roles: tried in this order; the first the token has becomes the actor's role.
        level: the least real-name level of a person or unit; below it, RFC 9470's challenge.
        kinds: who may be the applicant; person and unit when not given.
        business: what an officer must work in, as the token's ``businesses`` name it.
    """
    if not roles:
        raise ValueError("name the roles, or say @public")
    holders = {**_KINDS, Role.APPLICANT: frozenset(kinds) or _KINDS[Role.APPLICANT]}
    allowed = frozenset[Kind]().union(*(holders[role] for role in roles))
    return _put(roles=roles, kinds=allowed, level=level, business=business)


def public(view: View) -> View:
    """Let everybody use the route; tokens are not looked at, the actor is a visitor."""
    return _put(roles=())(view)


def unkeyed(view: View) -> View:
    """Spare the route the Idempotency-Key, where doing it twice is harmless or the point."""
    return _put(keyed=False)(view)


def large_body(limit: int) -> Callable[[View], View]:
    """Let the route take bodies up to ``limit`` bytes."""
    return _put(max_body=limit)


def mark_of(view: Callable[..., Any]) -> Mark | None:
    """The view's mark; None when nobody said who may use it."""
    found: dict[str, Any] = getattr(view, _MARK, {})
    return Mark(**found) if "roles" in found else None


def identify(mark: Mark, claims: Claims | None) -> Actor:
    """Who is asking, if they may.

    Raises:
        LoginNeeded, LevelTooLow: 401.
        PersonalSessionRequired, UnitSessionRequired, WrongRole, OtherBusiness: 403.
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
    if claims.kind == "officer":
        if claims.acr != OFFICER_ACR:
            raise LevelTooLow(OFFICER_ACR, level=0, required=2)
        if mark.business is not None and mark.business not in claims.businesses:
            raise OtherBusiness
    elif claims.level < mark.level:
        raise LevelTooLow(f"urn:gdhrss:ial:{mark.level}", level=claims.level, required=mark.level)
    return replace(claims.actor, role=role)


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
