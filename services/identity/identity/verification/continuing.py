"""Back from a raise to the page where something was parked (ID-42)."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response

from identity.sign_in import browser, entrance
from identity.verification import parking
from identity.verification.parking_rules import NoParkedRequest
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "continuing", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)


@blueprint.get("/continue/<parked_id>")
@public
def go_on(parked_id: str) -> Response:
    """Through the gateway's sign-on, which fetches a token of the new level without a question.

    The page is opened with ``?parked=<id>``; it fetches what was typed and sends it again.
    """
    with transaction() as db:
        owner = entrance.owner(db)
        if owner is None:
            back = f"{browser.PREFIX}/continue/{parked_id}"
            return browser.go(browser.with_return(f"{browser.PREFIX}/login", back))
        try:
            found = parking.find(db, owner.account.id, parked_id, now=now())
        except NoParkedRequest as refusal:
            return browser.page("parked-gone.html", 404, message=refusal.message)
        page = f"{found.page}?{urlencode({'parked': found.id})}"
    return browser.go(f"/sso/login?{urlencode({'return_to': page})}")
