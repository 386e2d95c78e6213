"""Consent: what another system wants to know, asked once, listed and withdrawn by its owner."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity.parts import parts
from identity.sign_in import authorization, browser, consents, entrance
from identity.sign_in.client_facts import ClientFacts
from identity.sign_in.sessions import Subject
from servicekit.clock import shanghai_date
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint("consenting", __name__, url_prefix=browser.PREFIX)

SCOPE_WORDS: Final = {
    "openid": "确认您的登录身份（不含姓名和证件号码）",
    "profile": "您的姓名、出生日期和性别",
    "real_name": "您的姓名、证件类型、证件号码和实名核验情况",
    "phone": "您的手机号码",
    "offline_access": "在本次登录的有效期内更新登录状态",
}


@blueprint.get("/consent")
@public
def show_consent() -> Response:
    """What the system asks for, and the choice."""
    with transaction() as db:
        found = _asked(db)
        if isinstance(found, Response):
            return found
        return _page(*found)


@blueprint.post("/consent")
@public
def decide() -> Response:
    """Remember a yes; a no goes back to the system as ``access_denied``."""
    with transaction() as db:
        found = _asked(db)
        if isinstance(found, Response):
            return found
        subject, client, arrival = found
        if not browser.is_own_form():
            return _page(subject, client, arrival, browser.STALE_FORM, 400)
        if request.form.get("decision") != "allow":
            done = arrival.done | {authorization.DENIED}
            return browser.go(authorization.return_to(arrival, done))
        scopes = _scopes(client, arrival)
        consents.give(db, subject.account.id, client.client_id, scopes, now=now())
        return browser.go(authorization.return_to(arrival, arrival.done))


@blueprint.get("/consents")
@public
def show_consents() -> Response:
    """Everything the owner consented to."""
    with transaction() as db:
        subject = entrance.owner(db)
        return _to_login(browser.CONSENTS) if subject is None else _list(db, subject)


@blueprint.post("/consents")
@public
def withdraw() -> Response:
    """Take one consent back."""
    with transaction() as db:
        subject = entrance.owner(db, does=False)  # taking back is everybody's right
        if subject is None:
            return _to_login(browser.CONSENTS)
        if not browser.is_own_form():
            return _list(db, subject, browser.STALE_FORM, 400)
        client_id = request.form.get("client_id", "")
        consents.withdraw(db, subject.account.id, client_id, now=now())
        return browser.go(browser.CONSENTS)


def _asked(db: Session) -> tuple[Subject, ClientFacts, authorization.Arrival] | Response:
    """Who is asked by whom for what; or where to go when that is not clear."""
    target = browser.return_to_request()
    subject = entrance.owner(db)
    if target is None:
        return browser.page("refused.html", 400)
    if subject is None:
        return _to_login(target)
    try:
        arrival = authorization.arrive_by(db, target)
    except authorization.NotPushed:
        return browser.page("refused.html", 400)
    provider = parts().provider.using(db, arrival.asked)
    client = provider.query_client(arrival.asked.get("client_id", ""))
    uri = arrival.asked.get("redirect_uri", "")
    if client is None or not client.check_redirect_uri(uri):
        return browser.page("refused.html", 400)
    return subject, client, arrival


def _scopes(client: ClientFacts, arrival: authorization.Arrival) -> list[str]:
    return client.get_allowed_scope(arrival.asked.get("scope")).split()


def _page(
    subject: Subject,
    client: ClientFacts,
    arrival: authorization.Arrival,
    error: str | None = None,
    status: int = 200,
) -> Response:
    target = browser.return_to_request()
    uri = arrival.asked.get("redirect_uri", "")
    return browser.page(
        "consent.html",
        status,
        leads_to=browser.redirect_origin(target),
        error=error,
        client=client.row.name,
        host=urlsplit(uri).netloc,
        scopes=[SCOPE_WORDS[scope] for scope in _scopes(client, arrival)],
        login_name=subject.account.login_name.mask(),
        return_to=target,
    )


def _list(db: Session, subject: Subject, error: str | None = None, status: int = 200) -> Response:
    given = [
        {
            "client_id": client.client_id,
            "name": client.name,
            "given_on": shanghai_date(consent.given_at).isoformat(),
            "scopes": [SCOPE_WORDS[s] for s in consent.scopes if s in SCOPE_WORDS],
        }
        for consent, client in consents.list_given(db, subject.account.id)
    ]
    return browser.page("consents.html", status, error=error, given=given)


def _to_login(target: str) -> Response:
    return browser.go(browser.with_return(f"{browser.PREFIX}/login", target))
