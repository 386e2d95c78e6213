"""The one border where whatever went wrong becomes a problem document (RFC 9457, AL-08).

In Chinese for the person, with a stable code for the program, every wrong field at once, and
never a stack trace. Nothing else in the suite turns an exception into an answer.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
import psycopg
from flask import Response, g, request
from marshmallow import ValidationError
from psycopg.errors import UniqueViolation
from sqlalchemy import exc
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from servicekit import errors, logs, metrics
from servicekit.errors import ChangedMeanwhile, Conflict, Invalid, Refusal, Unavailable
from servicekit.file_kinds import FileTooLarge
from servicekit.web.idempotency import KeyMalformed, KeyMissing, KeyReused
from servicekit.web.limits import BodyTooLarge
from servicekit.web.parsing import NotJson
from servicekit.web.session import app
from servicekit.web.versions import BadVersion, VersionNeeded
from servicekit.web.wording import field_errors

if TYPE_CHECKING:
    from servicekit.web.app import ServiceApp

log = logs.get_logger()

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:jiuye:problem:"

# The nearest class of the refusal's own line counts.
STATUS: dict[type[Refusal], int] = {
    NotJson: 400,
    BadVersion: 400,
    KeyMissing: 400,
    KeyMalformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    BodyTooLarge: 413,
    FileTooLarge: 413,
    KeyReused: 422,
    errors.Invalid: 422,
    VersionNeeded: 428,
    errors.TooMany: 429,
    errors.Unavailable: 503,
    Refusal: 400,
}
HTTP_TEXTS = {
    400: ("bad-request", "请求格式有误"),
    401: ("unauthenticated", "请先登录"),
    403: ("forbidden", "您没有办理此操作的权限"),
    404: ("no-such-page", "没有这个地址"),
    405: ("method-not-allowed", "该地址不支持此操作"),
    406: ("not-acceptable", "不能提供所要求的格式"),
    408: ("timeout", "请求超时，请重试"),
    413: (BodyTooLarge.code, "提交的内容过大"),
    414: ("address-too-long", "请求地址过长"),
    415: ("unsupported-media-type", "请以 application/json 格式提交"),
    429: ("too-many", "操作过于频繁，请稍后再试"),
    431: ("headers-too-large", "请求头过大"),
    503: ("unavailable", "系统繁忙，请稍后再试"),
}
INTERNAL = ("internal", "系统出现错误，请稍后再试；如仍有问题，请提供请求编号联系我们")
_OWN_HEADERS = frozenset({"content-type", "content-length"})
# Waited too long for a lock or a statement, or lost a deadlock: the same wish may succeed later.
_TRY_AGAIN = frozenset({"57014", "55P03", "40001", "40P01", "53300", "57P01", "57P03"})
_BAD_VALUE = "22"  # class of SQLSTATE: data exception
RETRY_SECONDS = 1


def install(to: ServiceApp) -> None:
    """Answer every exception of the app here."""
    to.register_error_handler(Exception, answer)


def answer(error: Exception) -> Response:
    """The problem document of an exception; unexpected ones are logged with their trace."""
    refusal = as_refusal(error)
    if refusal is not None:
        return of_refusal(refusal)
    if isinstance(error, HTTPException) and error.code is not None:
        return _of_http(error)
    log.error("request failed", error=type(error).__name__, exc_info=error)
    code, text = INTERNAL
    return _document(500, code, text, text)


def status_of(kind: type[Refusal]) -> int:
    """The HTTP status a kind of refusal is answered with."""
    return next(STATUS[base] for base in kind.__mro__ if base in STATUS)


def of_refusal(refusal: Refusal) -> Response:
    """The problem document of a refusal."""
    status = status_of(type(refusal))
    if isinstance(refusal, ChangedMeanwhile) and "If-Match" in request.headers:
        status = 412
    response = _answered(written(refusal, status))
    if status == HTTPStatus.UNAUTHORIZED:
        challenge = getattr(refusal, "challenge", 'Bearer realm="jiuye"')
        response.headers["WWW-Authenticate"] = challenge
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def written(refusal: Refusal, status: int | None = None) -> dict[str, Any]:
    """The members of the problem document; a batch answers with one for each part refused."""
    extra = dict(refusal.extra)
    if refusal.fields:
        extra["errors"] = [
            {"field": wrong.field, "code": wrong.code, "message": wrong.message}
            for wrong in refusal.fields
        ]
    title = type(refusal).default_message
    given = status_of(type(refusal)) if status is None else status
    return extra | _members(given, refusal.code, title, refusal.message)


def as_refusal(error: BaseException) -> Refusal | None:
    """What a foreign exception means to a person; None when it is our mistake."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ValidationError):
        return Invalid(fields=field_errors(error.messages))
    if isinstance(error, StaleDataError):
        return ChangedMeanwhile()
    if isinstance(error, exc.TimeoutError):  # no connection free in the pool
        return Unavailable(retry_after=RETRY_SECONDS)
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    return _of_database(cause) if isinstance(cause, psycopg.Error) else None


def _of_database(error: psycopg.Error) -> Refusal | None:
    state = error.sqlstate or ""
    if state.startswith(_BAD_VALUE) or isinstance(error, psycopg.DataError):
        log.warning("the database refused a value that no rule refused", sqlstate=state)
        return Invalid()
    if state == UniqueViolation.sqlstate:
        log.warning("an index answered for a rule", constraint=error.diag.constraint_name)
        return Conflict("提交的内容与已有记录冲突，请刷新后重试")
    if state in _TRY_AGAIN or (not state and isinstance(error, psycopg.OperationalError)):
        log.warning("database unavailable", sqlstate=state)
        return Unavailable(retry_after=RETRY_SECONDS)
    return None


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    code, text = HTTP_TEXTS.get(
        status, INTERNAL if status >= HTTPStatus.INTERNAL_SERVER_ERROR else HTTP_TEXTS[400]
    )
    response = _document(status, code, text, text)
    # Werkzeug's own headers are part of the answer: Allow, Retry-After, WWW-Authenticate.
    for name, value in error.get_headers():
        if name.lower() not in _OWN_HEADERS:
            response.headers[name] = value
    return response


def _document(status: int, code: str, title: str, detail: str) -> Response:
    return _answered(_members(status, code, title, detail))


def _members(status: int, code: str, title: str, detail: str) -> dict[str, Any]:
    request_id = request.environ.get("servicekit.request_id", "")
    return {
        "type": f"{TYPE_PREFIX}{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": f"urn:jiuye:request:{request_id}",
    }


def _answered(members: dict[str, Any]) -> Response:
    g.problem_code = members["code"]
    metrics.REFUSALS.labels(app().service.name, members["code"]).inc()
    return Response(orjson.dumps(members), members["status"], content_type=CONTENT_TYPE)
