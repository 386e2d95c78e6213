"""The browser's side of the pages: cookies, form tokens, headers, the way back."""

from __future__ import annotations

import hmac
import re
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Response, make_response, redirect, render_template, request

from identity.parts import client_address, parts
from identity.sign_in import rules
from identity.sign_in.sessions import Device

PREFIX: Final = "/identity"
AUTHORIZE: Final = f"{PREFIX}/authorize"
UNITS: Final = f"{PREFIX}/units"
CONSENTS: Final = f"{PREFIX}/consents"
SECURITY: Final = f"{PREFIX}/security"
DESK: Final = f"{PREFIX}/desk"
AGENTS: Final = f"{PREFIX}/agents"
UNIT: Final = f"{PREFIX}/unit"
# That a login may lead back to.
OWN_PAGES: Final = frozenset({SECURITY, UNITS, CONSENTS, DESK, AGENTS, UNIT})
_PARKED: Final = re.compile(rf"{PREFIX}/continue/[0-9a-f-]{{36}}")  # goes on with what was parked
# __Host-: set by this host alone, for the whole of it, over TLS (browsers trust 127.0.0.1).
SESSION_COOKIE: Final = "__Host-identity"
STEP_COOKIE: Final = "__Host-identity-step"
FORM_COOKIE: Final = "__Host-identity-form"
DEVICE_COOKIE: Final = "__Host-identity-device"
_DEVICE_KNOWN_FOR: Final = timedelta(days=180)
_LONGEST_DEVICE: Final = 200
STALE_FORM: Final = "页面已过期，请重新填写"


def page(
    template: str,
    status: int = 200,
    *,
    leads_to: str | None = None,
    script: str | None = None,
    **values: Any,
) -> Response:
    """Render a page with its form token and the headers every page has.

    Args:
        leads_to: origins the form may end up at, beside our own (a client's callback).
        script: the one file of ours the page may run, where a thing cannot be done without.
    """
    form_secret = request.cookies.get(FORM_COOKIE) or rules.new_secret()
    usual = {"form_token": _token(form_secret), "prefix": PREFIX}
    usual["password_hint"] = parts().password_policy.hint
    html = render_template(template, **usual | values)
    response = make_response(html, status)
    set_cookie(response, FORM_COOKIE, form_secret)
    targets = "'self'" if leads_to is None else f"'self' {leads_to}"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {targets}; "
        + (f"script-src {_origin(parts().settings.public_url)}{script}; " if script else "")
        + "base-uri 'none'; frame-ancestors 'none'"
    )
    # "same-origin", not "no-referrer": the latter would make the form's Origin header null.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def login_page(template: str, status: int = 200, **values: Any) -> Response:
    """A page of a personal login: it offers the tick 以法人身份登录, and the way to the province.

    The tick comes back as it was sent, so it can be taken out again.
    """
    province = _origin(parts().settings.province_url)
    client = redirect_origin(return_to())
    return page(
        template,
        status,
        leads_to=province if client is None else f"{client} {province}",
        return_to=_asked_return_to(),
        as_unit=_is_ticked(),
        **values,
    )


def is_own_form() -> bool:
    """Did one of our pages send this form? The token matches the cookie, and so does Origin."""
    secret = request.cookies.get(FORM_COOKIE, "")
    sent = request.form.get("form_token", "")
    origin = request.headers.get("Origin")
    same_origin = origin is None or origin == _origin(parts().settings.public_url)
    return same_origin and bool(secret) and _same(sent, _token(secret))


def set_cookie(response: Response, name: str, value: str) -> None:
    """A cookie scripts cannot read, that ends with the browser."""
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="Lax")


def remember_device(response: Response, mark: str) -> None:
    """The one cookie that outlives the browser; it opens nothing."""
    response.set_cookie(
        DEVICE_COOKIE,
        mark,
        path="/",
        max_age=_DEVICE_KNOWN_FOR,
        secure=True,
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(response: Response, name: str) -> None:
    """Forget it."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")


def go(path: str) -> Response:
    """After a form, a plain GET of one of our own paths."""
    response = make_response(redirect(path, code=303))
    response.headers["Cache-Control"] = "no-store"
    return response


def return_to() -> str | None:
    """Where the person was going: our authorization endpoint, a page of ours, or nowhere.

    Whoever ticked 以法人身份登录 goes by way of the choice of a unit (ID-41).
    """
    target = return_to_request()
    if not _is_ticked():
        return _asked_return_to()
    return UNITS if target is None else f"{target}&as_unit=1"


def return_to_request() -> str | None:
    """The authorization request the person came from, and no other page."""
    return rules.check_return_to(request.values.get("return_to", ""), AUTHORIZE)


def _asked_return_to() -> str | None:
    wanted = request.values.get("return_to", "")
    own = wanted if wanted in OWN_PAGES or _PARKED.fullmatch(wanted) else None
    return return_to_request() or own


def _is_ticked() -> bool:
    return request.values.get("as_unit") == "1"


def with_return(path: str, target: str | None) -> str:
    """A path of ours that remembers the way."""
    return f"{path}?{urlencode({'return_to': target})}" if target else path


def redirect_origin(target: str | None) -> str | None:
    """The origin the authorization request ends at, for form-action; ours needs no mention."""
    if target is None:
        return None
    uri = parse_qs(urlsplit(target).query).get("redirect_uri", [""])[0]
    if not uri:
        return None  # it leads to a page of ours
    origin = _origin(uri)
    plain = origin.isascii() and not set(origin) & set(" ;,'\"")
    return origin if plain and origin != _origin(parts().settings.public_url) else None


def device() -> Device:
    """The browser and the address, for the owner's list of sessions."""
    name = request.headers.get("User-Agent", "")[:_LONGEST_DEVICE]
    return Device(name=name, address=client_address())


def _same(sent: str, known: str) -> bool:
    # As bytes: a token may come with any letters, and text with others is no argument.
    return hmac.compare_digest(sent.encode(), known.encode())


def _token(secret: str) -> str:
    return rules.hash_secret(f"form:{secret}").hex()


def _origin(url: str) -> str:
    parsed = urlsplit(url)
    return f"{parsed.scheme}://{parsed.netloc}"
