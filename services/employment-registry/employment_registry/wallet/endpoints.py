"""HTTP for wallets: OpenID4VCI 1.0 as its documents say, with its own errors instead of ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import flask
from flask import Response, jsonify, request

from employment_registry.parts import parts
from employment_registry.wallet import actions, metadata, proofs, rules
from employment_registry.wallet.rules import Error, Refused
from servicekit.web.access import large_body, public
from servicekit.web.session import app, bearer_token, now, transaction

MAX_BODY = 32 * 1024  # bytes; a batch of proofs is a tenth of it
PUBLISHED_SECONDS = 300
ISSUER_PATH = "/api/employment-registry/v1"  # behind a well-known name (OpenID4VCI 1.0, 12.2.2)

well_known = flask.Blueprint("wallet-well-known", __name__, url_prefix="/.well-known")
protocol = flask.Blueprint("wallet-protocol", __name__, url_prefix=metadata.PREFIX)
small = large_body(MAX_BODY)


def in_its_words(view: Callable[[], Response]) -> Callable[[], Response]:
    """Answer a refusal as the specifications do; what was written before it is kept."""

    @wraps(view)
    def answer() -> Response:
        try:
            response = view()
        except Refused as refused:
            response = _refusal(refused)
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer


@well_known.get(f"/openid-credential-issuer{ISSUER_PATH}")
@public
def show_credential_issuer() -> Response:
    """What is issued here, and how to ask for it; signed for who wants ``application/jwt``."""
    kinds = ["application/json", "application/jwt"]
    if request.accept_mimetypes.best_match(kinds) == kinds[1]:
        signed = metadata.signed_credential_issuer(parts().signer, now())
        answer = Response(signed, content_type=kinds[1])
    else:
        answer = jsonify(metadata.credential_issuer(parts().signer))
    answer.vary.add("Accept")  # or a cache gives one wallet what another asked for
    return _published(answer)


@well_known.get(f"/oauth-authorization-server{ISSUER_PATH}")
@public
def show_authorization_server() -> Response:
    """Where a pre-authorized code becomes a token (RFC 8414)."""
    return _published(jsonify(metadata.authorization_server(parts().signer)))


@well_known.get(f"/jwt-vc-issuer{ISSUER_PATH}")
@public
def show_jwt_vc_issuer() -> Response:
    """The keys that verify copies and certificates."""
    return _published(jsonify(metadata.jwt_vc_issuer(parts().signer, now())))


@protocol.post("/token")
@public
@small
@in_its_words
def give_token() -> Response:
    """A pre-authorized code and its transaction code become an access token (6.1)."""
    _check_form()
    asked = rules.read_token_request(request.form)
    with transaction() as db:
        token = actions.redeem(db, asked, vault=app().vault, now=now())
    if token is None:
        raise Refused(Error.INVALID_GRANT, "The transaction code is wrong.")
    life = int(rules.TOKEN_LIFE.total_seconds())
    return jsonify({"access_token": token, "token_type": "Bearer", "expires_in": life})


@protocol.post("/nonce")
@public
@small
@in_its_words
def give_nonce() -> Response:
    """What the next proof must hold (7.1)."""
    return jsonify({"c_nonce": proofs.make_nonce(app().vault, now())})


@protocol.post("/credential")
@public
@small
@in_its_words
def give_credential() -> Response:
    """The certificate, once for each key proved (8.2)."""
    with transaction() as db:
        taken = actions.find_taken(db, bearer_token(), now=now())
        jwts = rules.read_proofs(_json())
        made = actions.copy(db, taken, jwts, signer=parts().signer, vault=app().vault, now=now())
    credentials = [{"credential": text} for text in made.credentials]
    return jsonify({"credentials": credentials, "notification_id": made.notification_id})


@protocol.post("/notification")
@public
@small
@in_its_words
def take_notification() -> Response:
    """What became of the copies in the wallet (11.1); saying it twice does no harm."""
    with transaction() as db:
        taken = actions.find_taken(db, bearer_token(), now=now())
        notification, event = rules.read_notification(_json())
        actions.notify(db, taken, notification, event, now=now())
    return Response(status=204)


def _json() -> Any:
    """The body, None where it is not JSON."""
    return request.get_json(force=True, silent=True)


def _check_form() -> None:
    """Parameters come in the body, each once (RFC 6749, 3.2)."""
    if request.args or request.mimetype != "application/x-www-form-urlencoded":
        raise Refused(Error.INVALID_REQUEST, "Parameters belong into a form in the body.")
    for name in request.form:
        if len(request.form.getlist(name)) > 1:
            raise Refused(Error.INVALID_REQUEST, "A parameter is given twice.")


def _refusal(refused: Refused) -> Response:
    response = jsonify({"error": refused.error, "error_description": refused.description})
    response.status_code = 400
    if refused.error is Error.INVALID_TOKEN:
        response.status_code = 401
        response.headers["WWW-Authenticate"] = (
            f'Bearer realm="jiuye", error="{Error.INVALID_TOKEN}"' if bearer_token() else "Bearer"
        )
    return response


def _published(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={PUBLISHED_SECONDS}"
    return response
