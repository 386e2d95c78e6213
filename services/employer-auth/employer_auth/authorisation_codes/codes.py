"""The code itself: sent when the second officer agrees, entered once, revoked (EA-09)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from employer_auth import limits, typed_codes
from employer_auth.agencies import agency_of
from employer_auth.authorisation_codes import events, queries, rules
from employer_auth.authorisation_codes.model import Authorisation, AuthorisationCase, SecretCode
from employer_auth.bindings import moves
from employer_auth.bindings import queries as bindings
from employer_auth.bindings.rules import check_active
from employer_auth.events import FACTS
from employer_auth.notices.actions import notify
from servicekit.applications import Actor, advance
from servicekit.clock import shanghai_date
from servicekit.outbox import announce
from servicekit.personal import Personal
from servicekit.uniqueness import refusing_a_second


def issue(db: Session, case: AuthorisationCase, *, now: datetime, lasts: timedelta) -> None:
    """Make a code and send it to the agent; what is kept of it is a keyed hash.

    A code sent earlier is worth nothing any more; the days of the first one count on.
    """
    code = typed_codes.new_code(rules.CODE_BITS)
    case.code_hash = SecretCode(code)  # type: ignore[assignment]
    case.code_sent_at = now
    case.code_expires_at = case.code_expires_at or now + lasts
    db.flush()
    words = {
        "unit": case.unit.name,
        "number": case.number or "",
        "code": typed_codes.show(code),
        "until": shanghai_date(case.code_expires_at).isoformat(),
    }
    notify(db, case.applicant_id, "authorisation-code", words=words, now=now)


def reissue(
    db: Session,
    case_id: str,
    *,
    person_id: str,
    actor: Actor,
    now: datetime,
    lasts: timedelta,
) -> AuthorisationCase:
    """Send a new code in place of one that did not arrive; few times a day.

    Raises:
        ApplicationNotFound, WrongState, CodeUsed, CodeExpired, TooManyCodes
    """
    case = queries.find_own_case(db, case_id, person_id)
    rules.WORKFLOW.next_state("reissue", case.state, actor.role)
    check(case, now)
    wait = limits.take(
        db,
        f"reissue:{case.id}",
        allowance=rules.REISSUES,
        window=rules.REISSUES_WINDOW,
        now=now,
    )
    if wait is not None:
        raise rules.TooManyCodes(retry_after=wait)
    issue(db, case, now=now, lasts=lasts)
    advance(db, rules.WORKFLOW, case, "reissue", actor=actor, now=now)
    return case


def redeem(
    db: Session,
    typed: Personal,
    *,
    person_id: str,
    actor: Actor,
    now: datetime,
    unit_id: str | None = None,
) -> Authorisation:
    """授权码实名: from now on the binding is known to the agency (EA-09).

    Args:
        typed: as the person typed it.
        unit_id: the unit it is entered for, when they said so.

    Raises:
        CodeMistyped: the check character is wrong; this does not count as a try.
        TooManyCodes, CodeUnknown, CodeUsed, CodeRevoked, CodeExpired
        BindingSuspended, NotBound: the unit has taken the binding back meanwhile.
    """
    code = typed_codes.read(typed.expose())
    if not typed_codes.is_plausible(code, rules.CODE_BITS):
        raise rules.CodeMistyped
    wait = limits.take(
        db, f"redeem:{person_id}", allowance=rules.TRIES, window=rules.TRIES_WINDOW, now=now
    )
    if wait is not None:
        raise rules.TooManyCodes(retry_after=wait)
    case = queries.find_code(db, SecretCode(code), person_id)
    if case is None or unit_id not in (None, case.unit_id):
        raise rules.CodeUnknown
    check(case, now)
    binding = bindings.hold(db, case.binding_id)
    check_active(binding.state, binding.suspended_for)
    authorisation = _authorise(db, case, now)
    case.redeemed_at = now
    advance(db, rules.WORKFLOW, case, "redeem", actor=actor, now=now)
    moves.revise(db, binding, now=now)
    _announce(db, events.AuthorisationActivated, authorisation, now)
    return authorisation


def revoke(
    db: Session, case: AuthorisationCase, *, actor: Actor, now: datetime, reason: str
) -> AuthorisationCase:
    """撤销: the code is worth nothing, and what was proved with it neither.

    Raises:
        WrongState
    """
    db.refresh(case, with_for_update={"of": AuthorisationCase})  # as in redeem: the case first
    binding = bindings.hold(db, case.binding_id)
    authorisation = queries.find_of_case(db, case.id)
    case.code_hash = None
    advance(db, rules.WORKFLOW, case, "revoke", actor=actor, now=now, note=reason)
    if authorisation is not None and authorisation.revoked_at is None:
        authorisation.revoked_at, authorisation.revoked_by = now, actor.id
        authorisation.revoke_reason = reason
        db.flush()
        moves.revise(db, binding, now=now)
        _announce(db, events.AuthorisationRevoked, authorisation, now)
    words = {"unit": case.unit.name, "agency": agency_of(case.unit.region).sentence}
    notify(db, case.applicant_id, "authorisation-revoked", words=words, now=now)
    return case


def check(case: AuthorisationCase, now: datetime) -> None:
    """Raises: CodeUsed, CodeRevoked, CodeExpired"""
    rules.check_code(
        state=case.state,
        redeemed_at=case.redeemed_at,
        expires_at=case.code_expires_at,
        now=now,
    )


def _authorise(db: Session, case: AuthorisationCase, now: datetime) -> Authorisation:
    authorisation = Authorisation(
        binding_id=case.binding_id,
        unit_id=case.unit_id,
        person_id=case.applicant_id,
        case_id=case.id,
        channel=case.application.channel,
        authorised_at=now,
    )
    with refusing_a_second(db, rules.AlreadyAuthorised):
        db.add(authorisation)
    return authorisation


def _announce(
    db: Session, fact: type[events.AuthorisationSchema], it: Authorisation, now: datetime
) -> None:
    announce(
        db,
        FACTS.of(
            fact,
            subject=it.binding_id,
            now=now,
            authorisation_id=it.id,
            binding_id=it.binding_id,
            unit_id=it.unit_id,
            person_id=it.person_id,
            case_id=it.case_id,
            channel=it.channel.value,
        ),
    )
