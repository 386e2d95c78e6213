"""Recover at once, by proofs a person carries: phone, bank card, security questions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import check_standing
from identity.messages import actions as messages
from identity.passwords import actions as passwords
from identity.recovery import proofs, queries, rules, stops
from identity.recovery.proofs import Card, Means, NewPassword, Phone
from identity.recovery.rules import Goal
from identity.security_questions import actions as questions
from identity.sign_in import sessions
from identity.sign_in.rules import EndReason
from identity.sms_codes import actions as sms_codes
from servicekit.personal import MobileNumber


def names_by_phone(db: Session, phone: Phone, *, means: Means, now: datetime) -> list[str]:
    """The login names of the accounts with this phone (ID-11); told to who holds it.

    Raises:
        FormRefused: the code is wrong.
        RecoveryRefused: there are none.
    """
    proofs.prove(db, phone, means=means, now=now)
    found = sms_codes.accounts_of(db, phone.number)
    if not found:
        raise rules.RecoveryRefused
    return _tell_names(db, found, now=now)


def names_by_card(
    db: Session, phone: Phone, card: Card, *, means: Means, now: datetime
) -> list[str]:
    """The login names of the person whom a bank knows by this card (ID-11).

    Raises:
        FormRefused, RecoveryRefused, RecoverySlowDown, and what the bank's check refuses.
    """
    found = proofs.by_card(db, phone, card, means=means, now=now)
    _warn_if_elsewhere(db, found, phone, Goal.LOGIN_NAME, means=means, now=now)
    return _tell_names(db, found, now=now)


def reset_by_phone(
    db: Session,
    login_name: str,
    document_number: str,
    phone: Phone,
    new: NewPassword,
    *,
    means: Means,
    now: datetime,
) -> None:
    """A new password by the account's own phone and the number of the document (ID-12).

    Raises:
        FormRefused: the code or the new password is not right.
        RecoveryRefused: the three do not belong together; which, is not told.
    """
    proofs.check_new(new, (login_name, document_number, phone.number), means=means)
    proofs.prove(db, phone, means=means, now=now)
    proofs.count(means, login_name, now=now)
    account = queries.account_of_name(
        db, login_name, phone=phone.number, document_number=document_number.strip().upper()
    )
    _reset(db, account, new, means=means, now=now)


def reset_by_card(
    db: Session,
    login_name: str,
    phone: Phone,
    card: Card,
    new: NewPassword,
    *,
    means: Means,
    now: datetime,
) -> None:
    """A new password by a bank that knows the person (ID-12); the old phone is told.

    Raises:
        FormRefused, RecoveryRefused, RecoverySlowDown, and what the bank's check refuses.
    """
    proofs.check_new(new, (login_name, card.document_number, phone.number), means=means)
    proofs.count(means, login_name, now=now)
    found = proofs.by_card(db, phone, card, means=means, now=now)
    named = queries.account_of_name(db, login_name)
    account = next((a for a in found if named is not None and a.id == named.id), None)
    _reset(db, account, new, means=means, now=now)
    _warn_if_elsewhere(db, [account] if account else [], phone, Goal.PASSWORD, means=means, now=now)


def questions_for(db: Session, login_name: str, phone: str, *, means: Means) -> list[str]:
    """The three questions of the account; for anything that is none, three that stay the same."""
    account = queries.account_of_name(db, login_name, phone=phone)
    own = questions.questions_of(db, account.id if account else "nobody")
    return own or questions.plausible(means.counts.vault, login_name)


def reset_by_questions(
    db: Session,
    login_name: str,
    phone: str,
    answers: list[str],
    new: NewPassword,
    *,
    means: Means,
    now: datetime,
) -> None:
    """A new password by three answers, beside the phone that was proved before (ID-12, ID-16).

    Raises:
        FormRefused: the new password is not good enough.
        RecoveryRefused: an answer is wrong, or nothing belongs together.
        RecoverySlowDown: answered wrong too often.
    """
    proofs.check_new(new, (login_name, phone), means=means)
    proofs.count(means, login_name, now=now)
    account = queries.account_of_name(db, login_name, phone=phone)
    right = questions.are_right(db, account.id if account else None, answers, hasher=means.hasher)
    _reset(db, account if right else None, new, means=means, now=now)


def _reset(
    db: Session, account: Account | None, new: NewPassword, *, means: Means, now: datetime
) -> None:
    if account is None:
        raise rules.RecoveryRefused
    check_standing(account.standing)
    passwords.replace(
        db, account, new.password, new.again, policy=means.policy, hasher=means.hasher, now=now
    )
    sessions.end_all(db, account.id, EndReason.PASSWORD_CHANGED, now=now)
    messages.tell(db, account.id, "password-recovered", {}, subject=None, now=now)
    means.counts.succeeded(rules.GUESSING, account.login_name.expose().casefold())


def _tell_names(db: Session, found: list[Account], *, now: datetime) -> list[str]:
    for account in found:
        messages.tell(db, account.id, "login-name-recovered", {}, subject=None, now=now)
    return [account.login_name.expose() for account in found]


def _warn_if_elsewhere(
    db: Session,
    found: list[Account],
    phone: Phone,
    goal: Goal,
    *,
    means: Means,
    now: datetime,
) -> None:
    """The bank knows another phone than the account: the account's own can undo it."""
    for account in found:
        if account.phone != MobileNumber(phone.number):
            stops.warn(
                db,
                account,
                [account.phone],
                what=goal.label,
                address=means.stop_address,
                vault=means.counts.vault,
                now=now,
            )
