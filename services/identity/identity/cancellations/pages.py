"""The page on which an owner ends the account, or keeps it after all. No script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity.accounts.rules import Kind
from identity.cancellations import actions, queries, rules
from identity.parts import parts
from identity.passwords import actions as passwords
from identity.sign_in import browser, entrance
from identity.sign_in.sessions import Subject
from servicekit.errors import FieldError, Refusal
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "cancellation_pages",
    __name__,
    url_prefix=f"{browser.SECURITY}/cancellation",
    template_folder="templates",
)

_PLACE: Final = f"{browser.SECURITY}/cancellation"
_LONGEST_FIELD: Final = 200


@blueprint.get("")
@public
def show() -> Response:
    """What ending the account means, and what stands against it."""
    return _for_owner(_page)


@blueprint.post("")
@public
def ask() -> Response:
    """Begin the cooling-off (ID-17)."""

    def act(db: Session, subject: Subject) -> Response:
        own, password = parts(), request.form.get("current_password", "")[:_LONGEST_FIELD]
        account = subject.account
        passwords.confirm(account, password, hasher=own.hasher, counts=own.counts, now=now())
        actions.ask(db, account, session_id=subject.session.id, now=now())
        return browser.go(_PLACE)

    return _for_owner(act)


@blueprint.post("/undo")
@public
def undo() -> Response:
    """Keep the account after all."""

    def act(db: Session, subject: Subject) -> Response:
        actions.undo(db, subject.account, now=now())
        return browser.go(_PLACE)

    return _for_owner(act)


def _for_owner(act: Callable[[Session, Subject], Response]) -> Response:
    try:
        with transaction() as db:
            subject = entrance.owner(db)
            if subject is None or subject.account.kind is Kind.OFFICER:
                return entrance.to_login_first()
            if request.method == "POST" and not browser.is_own_form():
                stale = FieldError("/current_password", "form-stale", browser.STALE_FORM)
                return _page(db, subject, [stale], 400)
            return act(db, subject)
    except Refusal as refusal:
        first = [FieldError("/current_password", refusal.code, refusal.message)]
        with transaction() as db:
            subject = entrance.owner(db)
            if subject is None:
                return entrance.to_login_first()
            return _page(db, subject, refusal.fields or first, 422)


def _page(
    db: Session, subject: Subject, wrong: Sequence[FieldError] = (), status: int = 200
) -> Response:
    account_id = subject.account.id
    return browser.page(
        "cancellation.html",
        status,
        wish=queries.find_open(db, account_id),
        ties=queries.list_ties(db, account_id),
        days=rules.COOLING_OFF.days,
        error=bool(wrong),
        errors=[(each.message, "#current_password") for each in wrong],
    )
