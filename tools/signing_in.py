"""Log in at the gateway as a browser does: its redirects, identity's pages, the second factor."""

import time
from typing import Any

import pyotp
from browser import Answer, Browser, UnexpectedError

STEP = 30  # seconds, RFC 6238
POLL = 0.2


def log_in(browser: Browser, login_name: str, password: str, totp: str = "") -> dict[str, Any]:
    """Go through the pages as a browser does.

    Returns: what `/sso/session` says.
    Raises: UnexpectedError when a page is not what it should be.
    """
    page = browser.open("/sso/login?return_to=/api/identity/v1/me")
    if form := next((f for f in page.forms() if "password" in f.fields), None):
        page = browser.submit(form, login_name=login_name, password=password)
    if form := next((f for f in page.forms() if "code" in f.fields), None):
        page = _second_factor(browser, page, totp)
    session = browser.api("GET", "/sso/session", expect=200).json
    if not session["logged_in"]:
        raise UnexpectedError(f"the login ended at {page.url.partition('?')[0]} with {page.status}")
    return dict(session)


def _second_factor(browser: Browser, page: Answer, secret: str) -> Answer:
    """The code of now; each works once, so after it the next one, and then the one after that."""
    clock = pyotp.TOTP(secret)
    step = int(time.time()) // STEP
    for ahead in (0, 1, 2):
        while ahead - 1 > int(time.time()) // STEP - step:  # one step ahead is let in
            time.sleep(POLL)
        form = next(f for f in page.forms() if "code" in f.fields)
        page = browser.submit(form, code=clock.at((step + ahead) * STEP))
        if not any("code" in f.fields for f in page.forms()):
            break
    return page
