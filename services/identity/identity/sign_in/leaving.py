"""Signing out: asked for by a client or by the person (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Response, request

from identity.parts import parts
from identity.sign_in import browser, sessions
from identity.sign_in.client_facts import ClientFacts
from identity.sign_in.rules import EndReason
from identity.sign_in.sessions import Subject
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint("leaving", __name__, url_prefix=browser.PREFIX)


@blueprint.route("/logout", methods=["GET", "POST"])
@public
def log_out() -> Response:
    """RP-initiated logout; without a valid id token the person is asked first."""
    with transaction() as db:
        provider = parts().provider.using(db)
        try:
            wish = provider.validate_endpoint_request("end_session")
        except OAuth2Error:
            return browser.page("refused.html", 400)
        asked = request.method == "POST" and browser.is_own_form()
        if wish.needs_confirmation and not asked:
            return browser.page("logout.html")
        cookie = request.cookies.get(browser.SESSION_COOKIE)
        subject = sessions.by_cookie(db, cookie, now=now())
        named = (wish.id_token_claims or {}).get("sub")
        own = subject is None or named in (None, _name_of(subject, wish.client))
        if subject is not None and own:
            sessions.end(db, subject.session, EndReason.LOGOUT, now=now())
        response = provider.create_endpoint_response("end_session", wish)
        response = response or browser.page("logged-out.html")
    if own:  # a hint about somebody else logs nobody out of this browser
        browser.drop_cookie(response, browser.SESSION_COOKIE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _name_of(subject: Subject, client: ClientFacts | None) -> str:
    """What the client that asks calls whoever is signed in here."""
    account_id: str = subject.account.id
    return account_id if client is None else parts().provider.subjects.subject(client, account_id)
