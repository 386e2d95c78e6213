"""OAuth 2 and OpenID Connect over HTTP: discovery, keys, authorize, token, userinfo, revoke."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from flask import Blueprint, Response, jsonify, request
from werkzeug.datastructures import MultiDict

from identity.parts import parts
from identity.sign_in import (
    authorization,
    browser,
    dpop,
    grants,
    introspection,
    mandates,
    metadata,
    proving,
    pushed,
    rules,
    sessions,
    tokens,
)
from identity.sign_in.asking import Step
from identity.sign_in.client_facts import ClientFacts
from identity.sign_in.queries import claims_of
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint("openid", __name__, url_prefix=browser.PREFIX)

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@blueprint.get("/.well-known/openid-configuration")
@public
def discovery() -> Response:
    """What this provider can do (OpenID Connect Discovery 1.0)."""
    return _cached(metadata.discovery(parts().provider.issuer))


@blueprint.get("/jwks.json")
@public
def jwks() -> Response:
    """The public keys: the coming, the present and the retired ones."""
    provider = parts().provider
    return _cached(provider.keys.jwks(now=provider.now()))


@blueprint.get("/authorize")
@public
def authorize() -> Response:
    """Answer a client with a code, after what is owed before it (ID-40, ID-41, ID-42)."""
    with transaction() as db:
        try:
            arrival = authorization.arrive(db, request.args)
        except authorization.NotPushed:
            return browser.page("refused.html", 400)
        provider = parts().provider.using(db, arrival.asked)
        subject = sessions.by_cookie(db, request.cookies.get(browser.SESSION_COOKIE), now=now())
        try:
            grant = provider.get_consent_grant(end_user=subject)
            client, uri = grant.request.client, grant.redirect_uri
            step = authorization.next_step(db, arrival, client, subject, uri)
        except OAuth2Error as error:
            error.state = arrival.asked.get("state")
            return _refusal(provider.handle_error_response(None, error))
        if step is not None or subject is None:
            return browser.go(authorization.page_for(step or Step.LOGIN, arrival))
        if arrival.row is not None and not pushed.use(db, arrival.row, now=now()):
            return browser.page("refused.html", 400)
        subject = mandates.chosen(db, subject)
        answer = provider.create_authorization_response(
            request=grant.request, grant_user=subject, grant=grant
        )
        return _with_issuer(answer)


@blueprint.post("/authorize")
@public
def authorize_by_form() -> Response:
    """The same by POST (OpenID Core 3.1.2.1): as a GET, to which the browser brings its cookie."""
    asked = list(request.form.items(multi=True))
    return browser.go(f"{browser.AUTHORIZE}?{urlencode(asked)}")


@blueprint.post("/par")
@public
def push() -> Response:
    """Take an authorization request from the client itself (RFC 9126)."""
    with transaction() as db:
        provider = parts().provider.using(db)
        asking = provider.create_oauth2_request(None)
        try:
            _check_form()
            proving.prove(provider, "par")
            client = provider.authenticate_client(asking, grants.AUTH_METHODS)
            asked = _pushable(client)
            grant = provider.using(db, asked).get_consent_grant()
            authorization.check(asked, grant.redirect_uri)
            key = provider.thumbprint
            request_uri = pushed.push(db, client.client_id, asked, dpop_thumbprint=key, now=now())
        except OAuth2Error as error:
            error.redirect_uri = None  # the client itself asks, it gets the answer
            return _answered(provider.handle_error_response(None, error))
    answer = jsonify({"request_uri": request_uri, "expires_in": int(pushed.LIFE.total_seconds())})
    answer.status_code = 201
    return _answered(answer)


@blueprint.post("/token")
@public
def token() -> Response:
    """Exchange a code, a refresh token, a mandate or a client's own credentials."""
    with transaction() as db:
        provider = parts().provider.using(db)
        try:
            _check_form()
            proving.prove(provider, "token")
            response: Response = provider.create_token_response()
        except OAuth2Error as error:
            response = provider.handle_error_response(None, error)
    return _answered(response)


@blueprint.post("/revoke")
@public
def revoke() -> Response:
    """End a token (RFC 7009)."""
    with transaction() as db:
        provider = parts().provider.using(db)
        try:
            _check_form()
            response: Response = provider.create_endpoint_response("revocation")
        except OAuth2Error as error:
            response = provider.handle_error_response(None, error)
    return response


@blueprint.post("/introspect")
@public
def introspect() -> Response:
    """What a token is worth at this moment (RFC 7662)."""
    with transaction() as db:
        provider = parts().provider.using(db)
        try:
            _check_form()
            asking = provider.create_oauth2_request(None)
            client = provider.authenticate_client(asking, grants.CONFIDENTIAL_METHODS)
            text = request.form.get("token")
            if not text:
                raise InvalidRequestError("'token' is missing.")
            answer = jsonify(introspection.describe(provider, db, text, client))
        except OAuth2Error as error:
            answer = provider.handle_error_response(None, error)
    return _answered(answer)


@blueprint.route("/userinfo", methods=["GET", "POST"])
@public
def userinfo() -> Response:
    """What the token's scopes say about the person; this is the only way out for real names."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    text = text.strip()
    provider = parts().provider
    claims = None
    if scheme.lower() in ("bearer", "dpop") and text:
        claims = tokens.read_access_token(
            text, issuer=provider.issuer, keys=provider.keys, now=now()
        )
    with transaction() as db:
        provider.using(db)
        if claims is None or not proving.holds_key(db, claims, scheme, text):
            return _bearer_refusal(given=bool(text))
        subject = sessions.by_id(db, provider.session_of(claims), now=now())
        client = provider.query_client(str(claims.get("client_id")))
        if subject is None or client is None or introspection.is_revoked(db, claims):
            return _bearer_refusal(given=True)
        scopes = str(claims.get("scope", "")).split()
        if "openid" not in scopes:
            return _bearer_refusal(given=True, error="insufficient_scope", status=403)
        said = claims_of(db, subject, scopes, now=now())
        said["sub"] = provider.subjects.subject(client, subject.account.id)
        answer = jsonify(said)
    answer.headers.update(_NO_STORE)
    return answer


def _check_form() -> None:
    """Parameters come in the body, each once (RFC 6749, 3.2)."""
    if request.args:
        raise InvalidRequestError("Parameters belong into the body.")
    for name in request.form:
        if len(request.form.getlist(name)) > 1:
            raise InvalidRequestError(f"'{name}' is given twice.")


def _pushable(client: ClientFacts) -> MultiDict[str, str]:
    """The request's own parameters, without what authenticated the client."""
    if "request_uri" in request.form or "request" in request.form:
        raise InvalidRequestError("A pushed request points to no other.")
    if request.form.get("client_id", client.client_id) != client.client_id:
        raise InvalidRequestError("'client_id' is another client's.")
    proofs = ("client_secret", "client_assertion", "client_assertion_type")
    asked = {n: v for n, v in request.form.items() if n not in proofs}
    key = parts().provider.thumbprint
    if key is not None and asked.setdefault("dpop_jkt", key) != key:
        raise InvalidRequestError("'dpop_jkt' is not the key of the proof.")
    return MultiDict({**asked, "client_id": client.client_id})


def _answered(response: Response) -> Response:
    response.headers.update(_NO_STORE)
    return proving.with_nonce(response)


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
    bearer = f'Bearer error="{error}"' if given else "Bearer"
    proofs = f'DPoP algs="{" ".join(dpop.ALGORITHMS)}"'
    response.headers["WWW-Authenticate"] = f"{bearer}, {proofs}"
    response.headers.update(_NO_STORE)
    return response


def _cached(document: Mapping[str, Any]) -> Response:
    response = jsonify(document)
    age = int(rules.JWKS_MAX_AGE.total_seconds())
    response.headers["Cache-Control"] = f"public, max-age={age}"
    return response
