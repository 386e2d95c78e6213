"""DPoP at our own endpoints: the proof a request brings, used up, and the nonce for the next."""

from __future__ import annotations

from typing import Any

from authlib.oauth2 import OAuth2Error
from flask import Response, request
from sqlalchemy.orm import Session

from identity.parts import parts
from identity.sign_in import dpop, replays
from identity.sign_in.grants import InvalidDpopProofError
from identity.sign_in.provider import Provider
from servicekit.web.session import now


class UseDpopNonceError(OAuth2Error):  # type: ignore[misc]
    """RFC 9449, 8: the same again, with the nonce of this answer."""

    error = "use_dpop_nonce"


def prove(provider: Provider, endpoint: str) -> None:
    """Take the request's DPoP proof, if it brings one; its ``jti`` once (RFC 9449, 11.1).

    Raises:
        InvalidDpopProofError, UseDpopNonceError: it is not good, or not yet.
    """
    given = request.headers.getlist("DPoP")
    if not given:
        return
    try:
        proof = dpop.check(
            _only(given),
            method=request.method,
            url=f"{provider.issuer}/{endpoint}",
            now=now(),
            nonces=_nonces(),
        )
    except dpop.BadProof as error:
        raise InvalidDpopProofError(str(error)) from None
    except dpop.NonceNeeded:
        raise UseDpopNonceError from None
    if not _use(provider.db, proof):
        raise InvalidDpopProofError("The proof was used before.")
    provider.prove(proof.thumbprint)


def holds_key(db: Session, claims: dict[str, Any], scheme: str, text: str) -> bool:
    """A token bound to a key comes with its proof and is no bearer token (RFC 9449, 7)."""
    bound = (claims.get("cnf") or {}).get("jkt")
    if bound is None:
        return scheme.lower() == "bearer"
    if scheme.lower() != "dpop":
        return False
    url = f"{parts().provider.issuer}/userinfo"
    try:
        given = _only(request.headers.getlist("DPoP"))
        proof = dpop.check(given, method=request.method, url=url, now=now(), access_token=text)
    except (dpop.BadProof, dpop.NonceNeeded):
        return False
    return proof.thumbprint == bound and _use(db, proof)


def with_nonce(response: Response) -> Response:
    """Hand out the nonce of the next proof to whoever uses proofs."""
    if "DPoP" in request.headers:
        response.headers["DPoP-Nonce"] = _nonces().current(now())
    return response


def _only(given: list[str]) -> str:
    if len(given) != 1:
        raise dpop.BadProof("There is one proof in a request.")
    return given[0]


def _use(db: Session, proof: dpop.Proof) -> bool:
    return replays.use(db, "dpop", proof.thumbprint, proof.token_id, until=proof.expires_at)


def _nonces() -> dpop.Nonces:
    return dpop.Nonces(parts().counts.vault)
