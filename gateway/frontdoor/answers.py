"""What the gateway says itself: problem documents (RFC 9457) in Chinese, redirects, small texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from frontdoor.responses import present_in
from frontdoor.sending import FilePart

REASONS: Final = {
    200: b"OK", 204: b"No Content", 206: b"Partial Content", 301: b"Moved Permanently",
    302: b"Found", 303: b"See Other", 304: b"Not Modified", 307: b"Temporary Redirect",
    308: b"Permanent Redirect", 400: b"Bad Request", 401: b"Unauthorized", 403: b"Forbidden",
    404: b"Not Found", 405: b"Method Not Allowed", 408: b"Request Timeout",
    412: b"Precondition Failed", 413: b"Content Too Large", 414: b"URI Too Long",
    416: b"Range Not Satisfiable", 417: b"Expectation Failed", 421: b"Misdirected Request",
    429: b"Too Many Requests", 431: b"Request Header Fields Too Large",
    500: b"Internal Server Error", 501: b"Not Implemented", 502: b"Bad Gateway",
    503: b"Service Unavailable", 504: b"Gateway Timeout", 505: b"HTTP Version Not Supported",
    508: b"Loop Detected",
}  # fmt: skip

TITLES: Final = {
    400: "请求有误", 401: "需要登录", 403: "没有权限", 404: "未找到", 405: "不支持该请求方法",
    408: "请求超时", 413: "内容过大", 414: "地址过长", 417: "不支持的请求头", 421: "主机不符",
    429: "操作过于频繁", 431: "请求头过大", 500: "系统出现错误", 501: "不支持的请求",
    502: "服务响应异常", 503: "系统繁忙", 504: "服务响应超时", 505: "不支持的协议版本",
    508: "转发循环",
}  # fmt: skip

PROBLEM: Final = b"application/problem+json"
_BODILESS: Final = frozenset((204, 304))  # RFC 9110 8.6: they carry no length of their own


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the gateway's own.

    Args:
        status: the status code.
        body: the text; None for a problem document made of the rest.
        code: the problem's stable code.
        detail: the Chinese sentence for the person.
        lines: header lines beside the usual.
        close: end the connection after it, because what follows cannot be trusted.
        file: sent in place of the body.
    """

    status: int
    body: bytes | None = None
    code: str = ""
    detail: str = ""
    lines: tuple[bytes, ...] = ()
    content_type: bytes = b"text/plain; charset=utf-8"
    close: bool = False
    file: FilePart | None = None

    @property
    def present(self) -> int:
        """The bits of the fields it brings itself."""
        return present_in(self.lines)

    @property
    def kind(self) -> bytes:
        """The body's Content-Type."""
        return PROBLEM if self.body is None else self.content_type

    def render(self, request_id: bytes) -> bytes:
        """The body."""
        if self.body is not None:
            return self.body
        document = {
            "type": f"urn:jiuye:problem:{self.code}",
            "title": TITLES.get(self.status, self.detail),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "instance": f"urn:jiuye:request:{request_id.decode()}",
        }
        return orjson.dumps(document)

    def head(self, length: int, *, date: bytes, keep: bool, minor: int) -> bytes:
        """The head but for the fields that filters add."""
        lines = [
            b"HTTP/1.1 %d %b" % (self.status, REASONS.get(self.status, b"")),
            b"Date: " + date,
            *self.lines,
        ]
        if self.status not in _BODILESS:
            lines.append(b"Content-Length: %d" % length)
        if length:
            lines.append(b"Content-Type: " + self.kind)
        if not keep:
            lines.append(b"Connection: close")
        elif minor == 0:
            lines.append(b"Connection: keep-alive")
        return b"\r\n".join(lines) + b"\r\n"


def refusal(status: int, code: str, detail: str, *lines: bytes, close: bool = False) -> Answer:
    """A problem document."""
    return Answer(status, code=code, detail=detail, lines=lines, close=close)


def go(location: str, status: int = 302, lines: Sequence[bytes] = ()) -> Answer:
    """A redirect; never kept by anyone."""
    where = b"Location: " + location.encode("ascii", "strict")
    return Answer(status, b"", lines=(where, b"Cache-Control: no-store", *lines))


def as_json(value: object, *lines: bytes) -> Answer:
    """A JSON answer that is not kept."""
    kept = (b"Cache-Control: no-store", *lines)
    return Answer(200, orjson.dumps(value), lines=kept, content_type=b"application/json")


BAD_REQUEST: Final = refusal(400, "bad-request", "请求格式有误", close=True)
BAD_PATH: Final = refusal(400, "bad-path", "请求地址格式有误", close=True)
BAD_CHUNK: Final = refusal(400, "bad-body", "请求内容的分段格式有误", close=True)
LATE_HEAD: Final = refusal(408, "request-timeout", "请求超时，请重试", close=True)
LONG_TARGET: Final = refusal(414, "address-too-long", "请求地址过长", close=True)
LONG_HEAD: Final = refusal(431, "headers-too-large", "请求头过大", close=True)
BAD_METHOD: Final = refusal(501, "method-unknown", "不支持该请求方法", close=True)
NOT_SERVED: Final = refusal(
    405, "method-not-served", "不支持该请求方法",
    b"Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS", close=True,
)  # fmt: skip
BAD_CODING: Final = refusal(501, "coding-unknown", "不支持该传输编码", close=True)
BAD_VERSION: Final = refusal(505, "version-unknown", "不支持该协议版本", close=True)
BAD_EXPECT: Final = refusal(417, "expectation-failed", "不支持该 Expect 请求头", close=True)
LOOP: Final = refusal(508, "loop-detected", "网关转发出现循环", close=True)
TOO_LARGE: Final = refusal(413, "body-too-large", "提交的内容过大", close=True)
NOT_FOUND: Final = refusal(404, "no-such-page", "您访问的地址不存在")
READ_ONLY: Final = refusal(
    405, "method-not-allowed", "此地址只能查看，不支持该请求方法", b"Allow: GET, HEAD"
)
BAD_GATEWAY: Final = refusal(502, "bad-gateway", "服务响应异常，请稍后再试")
UNAVAILABLE: Final = refusal(503, "unavailable", "系统繁忙，请稍后再试", b"Retry-After: 5")
LATE_ANSWER: Final = refusal(504, "gateway-timeout", "服务响应超时，请稍后再试")
BROKEN: Final = refusal(500, "internal-error", "系统出现错误，请稍后再试", close=True)
