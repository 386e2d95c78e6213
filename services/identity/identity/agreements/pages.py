"""Read an agreement; accept a new version on the way into a session. No script."""

from __future__ import annotations

from flask import Blueprint, Response, request

from identity.accounts import agreements
from identity.accounts.model import Account
from identity.agreements import actions, queries, rules
from identity.parts import parts
from identity.sign_in import browser, credentials, entrance
from identity.sign_in.rules import Stage
from servicekit.web.access import public
from servicekit.web.session import now, reading, transaction

blueprint = Blueprint(
    "agreement_pages", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)


@blueprint.get("/agreements/<name>")
@public
def show(name: str) -> Response:
    """One agreement in its present version."""
    found = agreements.find(name)
    if found is None:
        raise rules.NoAgreement
    return browser.page("agreement.html", agreement=found)


@blueprint.get("/agreements")
@public
def show_owed() -> Response:
    """What was published since the owner last agreed."""
    secret = request.cookies.get(browser.STEP_COOKIE, "")
    with reading() as db:
        step = credentials.look(db, secret, Stage.AGREEMENTS, now=now())
        if step is None:
            return entrance.to_login()
        owed = queries.list_owed(db, db.get_one(Account, step.account_id))
    return browser.page("agreements-owed.html", owed=owed, return_to=browser.return_to())


@blueprint.post("/agreements")
@public
def accept() -> Response:
    """Accept what was shown and go on; who does not simply stays signed out."""
    own, secret = parts(), request.cookies.get(browser.STEP_COOKIE, "")
    again = browser.with_return(f"{browser.PREFIX}/agreements", browser.return_to())
    if not browser.is_own_form() or request.form.get("agreed") != "yes":
        return browser.go(again)
    step = credentials.take_try(own.counts.database, secret, Stage.AGREEMENTS, now=now())
    if step is None:
        return entrance.to_login()
    with transaction() as db:
        account = db.get_one(Account, step.account_id)
        for each in queries.list_owed(db, account):
            if request.form.get(each.name.replace("-", "_")) == each.version:
                actions.accept(db, account.id, each.name, each.version, now=now())
        if queries.list_owed(db, account):
            return browser.go(again)  # a newer version came while this one was read
        credentials.end_stage(db, secret)
        return entrance.go_on(db, account, done=Stage.AGREEMENTS, way=step.way)
