"""Log in at the gateway as a browser does: its redirects, identity's pages, the second factor."""

import time
from typing import Any

import pyotp
from browser import Answer, Browser, UnexpectedError


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
    """The code of now; when that one was used already, the neighbouring one."""
    clock = pyotp.TOTP(secret)
    for offset in (0, 30, -30):
        form = next(f for f in page.forms() if "code" in f.fields)
        page = browser.submit(form, code=clock.at(int(time.time()) + offset))
        if not any("code" in f.fields for f in page.forms()):
            break
    return page
