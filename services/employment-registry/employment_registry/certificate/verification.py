"""Anyone may verify a certificate: an API, a page behind the QR code, keys and a status list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

import flask
from flask import Response
from sqlalchemy.orm import Session

from employment_registry.certificate import queries, schemas
from employment_registry.certificate.model import Certificate
from employment_registry.certificate.rules import CertificateNotFound, Validity
from employment_registry.certificate.signing import Signer, facts_of
from employment_registry.pages import page, show_trouble
from employment_registry.parts import parts
from servicekit.clock import shanghai_date, to_shanghai
from servicekit.db import Database
from servicekit.web.access import public
from servicekit.web.api import Blueprint
from servicekit.web.session import now, reading

Ended = Callable[[Session], Iterable[tuple[int, Validity]]]

KEPT_SECONDS = 60  # the list may be this old; the page and the API never are

verifications = Blueprint(
    "certificate-verifications",
    __name__,
    url_prefix="/certificate-verifications",
    description="就业创业证：公开核验",
)
published = Blueprint(
    "certificate-trust", __name__, url_prefix="", description="就业创业证：离线核验"
)
pages = flask.Blueprint("certificate-pages", __name__, url_prefix="/certificates")
pages.register_error_handler(Exception, show_trouble)


class StatusList:
    """The signed list of what every certificate is worth, made anew once a minute at most.

    Args:
        ended: each tells the places of what is no longer valid; all the others are.
    """

    def __init__(self, signer: Signer, database: Database, *ended: Ended) -> None:
        self._signer = signer
        self._database = database
        self._ended = ended
        self._lock = threading.Lock()
        self._made: tuple[float, str] | None = None

    def token(self, now: datetime) -> str:
        """The newest list."""
        with self._lock:
            made = self._made
            if made is None or not 0 <= now.timestamp() - made[0] < KEPT_SECONDS:
                with self._database.reading() as db:
                    gone = [place for tell in self._ended for place in tell(db)]
                    text = self._signer.sign_status_list(gone, queries.places(db), now)
                made = self._made = (now.timestamp(), text)
            return made[1]


@verifications.route("/<code>", methods=["GET"])
@public
@verifications.response(200, schemas.VerificationSchema, example=schemas.EXAMPLE_VERIFICATION)
def verify(code: str) -> dict[str, Any]:
    """Is this certificate good (核验)? Tells a masked name and the last four of the document.

    404 `certificate-not-found`.
    """
    with reading() as db:
        return _told(queries.find_by_code(db, code))


@published.route("/certificate-keys", methods=["GET"])
@public
@published.response(200, schemas.KeysSchema, example={"keys": [{"kty": "EC", "crv": "P-256"}]})
def list_keys() -> dict[str, Any]:
    """The keys that verify signed certificates (JWK set)."""
    return parts().signer.jwks(now())


@published.route("/certificate-status-list", methods=["GET"])
@public
@published.response(200, {"type": "string"}, content_type="application/statuslist+jwt")
def show_status_list() -> Response:
    """What every certificate is worth, as a signed status list."""
    token = parts().status_list.token(now())
    headers = {"Cache-Control": f"public, max-age={KEPT_SECONDS}"}
    return Response(token, content_type="application/statuslist+jwt", headers=headers)


@pages.app_template_filter("day")
def write_day(day: date) -> str:
    """2026年9月30日."""
    return f"{day.year}年{day.month}月{day.day}日"


@pages.get("/<code>")
@public
def show_page(code: str) -> Response:
    """The page behind the QR code; works on any telephone, without scripts."""
    try:
        with reading() as db:
            told: dict[str, Any] | None = _told(queries.find_by_code(db, code))
    except CertificateNotFound:
        told = None
    asked_at = f"{to_shanghai(now()):%Y-%m-%d %H:%M}"
    return page("certificate.html", 404 if told is None else 200, told=told, asked_at=asked_at)


def _told(certificate: Certificate) -> dict[str, Any]:
    ended = certificate.ended_at
    return {
        **facts_of(certificate),
        "issued_on": shanghai_date(certificate.issued_at),
        "validity": certificate.validity.value,
        "validity_label": certificate.validity.label,
        "ended_on": None if ended is None else shanghai_date(ended),
    }
