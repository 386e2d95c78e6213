"""When may a person apply for the certificate or its replacement, and what is still valid?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from employment_registry.checks import rules as checks
from employment_registry.checks.rules import Asked, Sign, System
from employment_registry.places import street_faults
from servicekit.claims import ready_reasons
from servicekit.errors import Conflict, FieldError, Invalid, NotFound
from servicekit.personal import MobileNumber
from servicekit.teamwork.rules import team_moves
from servicekit.workflow import Role, State, Workflow, move

WORKFLOW: Final = Workflow(
    "employment-registry.certificate",
    State.DRAFT,
    move("save", State.DRAFT, State.DRAFT, Role.APPLICANT),
    move("save", State.RETURNED, State.RETURNED, Role.APPLICANT),
    move("delete", State.DRAFT, State.DRAFT, Role.APPLICANT),
    move("submit", (State.DRAFT, State.RETURNED), State.SUBMITTED, Role.APPLICANT),
    move("withdraw", State.SUBMITTED, State.WITHDRAWN, Role.APPLICANT),
    move("claim", State.SUBMITTED, State.SUBMITTED, Role.REVIEWER),
    move("approve", State.SUBMITTED, State.APPROVED, Role.REVIEWER),
    move("return", State.SUBMITTED, State.RETURNED, Role.REVIEWER),
    move("reject", State.SUBMITTED, State.REJECTED, Role.REVIEWER),
    *team_moves(State.SUBMITTED),
    move("revoke", State.APPROVED, State.CANCELLED, Role.REVIEWER),
    *checks.MOVES,
)
FILED: Final = tuple(sorted(WORKFLOW.states - {State.DRAFT, State.CHECKING}))
ASKED: Final = Asked(tuple(System), {Sign.DEAD: checks.REFUSALS[Sign.DEAD]})
BUSINESS_DIGITS: Final = "03"  # of the 受理编号


class Kind(StrEnum):
    """申领 or 补换."""

    FIRST = "first"
    REPLACEMENT = "replacement"


class Cause(StrEnum):
    """Why a certificate is replaced (补换原因, CRT-08)."""

    LOST = "lost"
    DAMAGED = "damaged"
    FULL = "full"
    CHANGED = "changed"


CAUSES: Final = {
    Cause.LOST: "遗失",
    Cause.DAMAGED: "损毁",
    Cause.FULL: "记录页满",
    Cause.CHANGED: "信息变更",
}


class Validity(StrEnum):
    """What a certificate is worth."""

    VALID = "valid"  # 有效
    REPLACED = "replaced"  # 已补换
    REVOKED = "revoked"  # 已作废

    @property
    def label(self) -> str:
        """The word people read."""
        return {"valid": "有效", "replaced": "已补换", "revoked": "已作废"}[self.value]


REASONS: Final = ready_reasons(__package__)


@dataclass(frozen=True, slots=True)
class Statement:
    """What the form says; None is not filled in."""

    cause: Cause | None = None
    explanation: str | None = None
    service_place: str | None = None
    contact_phone: MobileNumber | None = None


STATEMENT_FIELDS: Final = tuple(f.name for f in fields(Statement))


class OpenApplication(Conflict):
    """CRT-08: one open application at a time."""

    code = "application-open"
    default_message = "您有一件就业创业证申请尚未办结，请先办结、撤回或删除后再申请。"


class AlreadyCertified(Conflict):
    """The person holds a valid certificate; it can be replaced, not doubled."""

    code = "already-certified"
    default_message = "您已领取就业创业证，如需补发或换发请办理补换。"


class NoCertificate(Conflict):
    """CRT-04: only a person who has obtained a certificate has it replaced."""

    code = "no-certificate"
    default_message = "您尚未领取就业创业证，请先办理申领。"


class NotTheNewest(Conflict):
    """CRT-05: an older certificate has been replaced or revoked already."""

    code = "not-the-newest-certificate"
    default_message = "该证件已不是当前有效的就业创业证，请刷新后对最新的证件办理补换。"


class NotRegistered(Conflict):
    """The certificate says how a person is registered, so they must be."""

    code = "not-registered"
    default_message = "请先办理就业登记或失业登记，登记通过后即可申领就业创业证。"


class NumbersUsedUp(Conflict):
    """The policy's serial has too few digits for what a county issues in a year."""

    code = "certificate-numbers-used-up"
    default_message = "本县（区）今年的证号已用完，请联系省级管理员调整编号规则后再审核。"


class ApplicationNotFound(NotFound):
    """There is none, or it is not theirs to see: the answer is the same."""

    code = "application-not-found"
    default_message = "未找到该就业创业证申请。"


class CertificateNotFound(NotFound):
    """There is none, or it is not theirs."""

    code = "certificate-not-found"
    default_message = "未查询到就业创业证，请核对后重试。"


class Incomplete(Invalid):
    """AL-01: everything that is missing or wrong, at once."""

    code = "application-incomplete"
    default_message = "申请信息不完整或有误，请按提示修改后再提交。"


def check_kind(kind: Kind, *, has_certificate: bool, is_registered: bool) -> None:
    """申领 for those who are registered and have none, 补换 for those who have one.

    Raises:
        AlreadyCertified, NotRegistered, NoCertificate: CRT-04, CRT-07.
    """
    if kind is Kind.REPLACEMENT and not has_certificate:
        raise NoCertificate
    if kind is Kind.FIRST and has_certificate:
        raise AlreadyCertified
    if kind is Kind.FIRST and not is_registered:
        raise NotRegistered


def check_newest(chosen: str | None, current: str | None) -> None:
    """补换 is of the certificate in force and of none before it (CRT-05).

    Args:
        chosen: the certificate whose 补换 was pressed; None leaves the choice to us.
        current: the one that is valid.

    Raises:
        NotTheNewest
    """
    if chosen is not None and chosen != current:
        raise NotTheNewest


def check_submission(kind: Kind, statement: Statement) -> None:
    """Everything the form must say, in one answer.

    Raises:
        Incomplete: with one field error per wrong field (AL-01).
    """
    if faults := list(_faults(kind, statement)):
        raise Incomplete(fields=faults)


def _faults(kind: Kind, statement: Statement) -> Iterator[FieldError]:
    if statement.service_place is None:
        yield FieldError("/certificate/service_place", "missing", "请选择受理地")
    yield from street_faults(statement.service_place, "/certificate/service_place")
    if statement.contact_phone is None:
        yield FieldError("/certificate/contact_phone", "missing", "请填写联系电话")
    if kind is Kind.FIRST and statement.cause is not None:
        yield FieldError("/certificate/cause", "surplus", "申领时无需填写补换原因")
    if kind is Kind.REPLACEMENT and statement.cause is None:
        yield FieldError("/certificate/cause", "missing", "请选择补换原因")
