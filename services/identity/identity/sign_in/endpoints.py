"""OAuth 2 and OpenID Connect over HTTP: discovery, keys, authorize, token, userinfo, revoke."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from authlib.oidc.core.errors import LoginRequiredError
from flask import Blueprint, Response, jsonify, request

from identity.parts import parts
from identity.sign_in import browser, mandates, rules, sessions, tokens
from identity.sign_in.queries import claims_of
from identity.sign_in.sessions import Subject
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint("openid", __name__, url_prefix=browser.PREFIX)

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@blueprint.get("/.well-known/openid-configuration")
@public
def discovery() -> Response:
    """What this provider can do (OpenID Connect Discovery 1.0)."""
    issuer = parts().provider.issuer
    methods = ["client_secret_basic", "client_secret_post", "none"]
    return _cached(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/jwks.json",
            "revocation_endpoint": f"{issuer}/revoke",
            "end_session_endpoint": f"{issuer}/logout",
            "scopes_supported": list(rules.TOKEN_SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": tokens.supported_algorithms(),
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "acr_values_supported": [
                *(f"urn:gdhrss:ial:{n}" for n in (1, 2, 3)),
                "urn:gdhrss:aal:2",
            ],
            "prompt_values_supported": ["none", "login", "select_account"],
            "ui_locales_supported": ["zh-CN"],
        }
    )


@blueprint.get("/jwks.json")
@public
def jwks() -> Response:
    """The public keys: the coming, the present and the retired ones."""
    provider = parts().provider
    return _cached(provider.keys.public(now=provider.now()).as_dict(private=False))


@blueprint.get("/authorize")
@public
def authorize() -> Response:
    """Answer a client with a code, after a login when one is needed (ID-40)."""
    with transaction() as db:
        provider = parts().provider.using(db)
        subject = sessions.by_cookie(db, request.cookies.get(browser.SESSION_COOKIE), now=now())
        try:
            grant = provider.get_consent_grant(end_user=subject)
            again = subject is not None and _must_log_in_again(subject)
            if again and _prompt() == ["none"]:
                raise LoginRequiredError(redirect_uri=grant.redirect_uri)
        except OAuth2Error as error:
            error.state = request.args.get("state")
            return _refusal(provider.handle_error_response(None, error))
        if subject is None or again:
            return browser.go(browser.with_return(f"{browser.PREFIX}/login", _after_login()))
        subject = mandates.chosen(db, subject)
        answer = provider.create_authorization_response(grant_user=subject, grant=grant)
        return _with_issuer(answer)


@blueprint.post("/token")
@public
def token() -> Response:
    """Exchange a code or a refresh token."""
    with transaction() as db:
        response: Response = parts().provider.using(db).create_token_response()
    response.headers.update(_NO_STORE)
    return response


@blueprint.post("/revoke")
@public
def revoke() -> Response:
    """End a token (RFC 7009)."""
    with transaction() as db:
        response: Response = parts().provider.using(db).create_endpoint_response("revocation")
    return response


@blueprint.route("/userinfo", methods=["GET", "POST"])
@public
def userinfo() -> Response:
    """What the token's scopes say about the person; this is the only way out for real names."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    provider = parts().provider
    claims = None
    if scheme.lower() == "bearer":
        claims = tokens.read_access_token(
            text.strip(), issuer=provider.issuer, keys=provider.keys, now=now()
        )
    with transaction() as db:
        subject = None if claims is None else sessions.by_id(db, claims["sid"], now=now())
        if claims is None or subject is None:
            return _bearer_refusal(given=bool(text))
        scopes = str(claims.get("scope", "")).split()
        if "openid" not in scopes:
            return _bearer_refusal(given=True, error="insufficient_scope", status=403)
        answer = jsonify(claims_of(subject, scopes))
    answer.headers.update(_NO_STORE)
    return answer


def _prompt() -> list[str]:
    return request.args.get("prompt", "").split()


def _must_log_in_again(subject: Subject) -> bool:
    max_age = request.args.get("max_age", "")
    return rules.needs_login(
        prompt=" ".join(_prompt()),
        max_age=int(max_age) if max_age.isdigit() else None,
        authenticated_at=subject.session.authenticated_at,
        now=now(),
    )


def _after_login() -> str:
    # Asked once: the login page is the answer to prompt=login, not the beginning of a circle.
    asked = parse_qsl(request.query_string.decode(), keep_blank_values=True)
    kept = [(name, value) for name, value in asked if name != "prompt"]
    return f"{browser.AUTHORIZE}?{urlencode(kept)}"


def _with_issuer(response: Response) -> Response:
    """RFC 9207: every authorization response says who answers."""
    if response.location:
        issuer = parts().provider.issuer
        response.location = add_params_to_uri(response.location, {"iss": issuer})
    response.headers["Cache-Control"] = "no-store"
    return response


def _refusal(response: Response) -> Response:
    """An error goes back to the client, or, when the client is not sure, to the person."""
    if response.location:
        return _with_issuer(response)
    return browser.page("refused.html", 400)


def _bearer_refusal(*, given: bool, error: str = "invalid_token", status: int = 401) -> Response:
    response = jsonify({"error": error} if given else {})
    response.status_code = status
    response.headers["WWW-Authenticate"] = f'Bearer error="{error}"' if given else "Bearer"
    response.headers.update(_NO_STORE)
    return response


def _cached(document: Mapping[str, Any]) -> Response:
    response = jsonify(document)
    age = int(rules.JWKS_MAX_AGE.total_seconds())
    response.headers["Cache-Control"] = f"public, max-age={age}"
    return response
