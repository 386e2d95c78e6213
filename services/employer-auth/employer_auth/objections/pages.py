"""The page where a legal representative uses the code, for those who have nothing but a browser."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, make_response, render_template, request

from employer_auth.objections import actions, rules, schemas
from employer_auth.parts import parts
from employer_auth.visitors import address_key
from servicekit.web.access import public
from servicekit.web.session import keep_on_refusal, now, transaction

PATH: Final = "/employer-auth/objection"
TOO_LARGE: Final = 2000  # characters of either field

pages = Blueprint("objection_pages", __name__, template_folder="templates")


@pages.get(PATH)
@public
def show_form() -> Response:
    """The empty form."""
    return _page()


@pages.post(PATH)
@public
def send_form() -> Response:
    """The same as the API's address; the answer is the same whatever was sent."""
    given = {name: request.form.get(name, "")[:TOO_LARGE] for name in ("uscc", "code")}
    read, errors = schemas.read_form(given)
    if errors:
        return _page(422, errors=errors, uscc=given["uscc"])
    try:
        with transaction() as db:
            keep_on_refusal()
            actions.attempt(
                db,
                **read,
                address=address_key(),
                allowance=parts().settings.objections_per_address_hour,
                now=now(),
            )
    except rules.TooManyObjections as refused:
        return _page(429, errors=[("uscc", refused.message)], uscc=given["uscc"])
    return _page(answer=rules.ANSWER)


def _page(status: int = 200, **values: Any) -> Response:
    usual = {"path": PATH, "errors": [], "uscc": "", "answer": ""}
    response = make_response(render_template("objection.html", **(usual | values)), status)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response
