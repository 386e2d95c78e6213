"""The authorities over HTTP: roots, lists, and the assistant (CA 助手) with its token."""

from typing import TYPE_CHECKING

from flask import Response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from outside.authority import PIN
from outside.behaviour import trouble
from outside.legal_person_base import is_uscc

if TYPE_CHECKING:
    from outside.app import Outside

TITLES = {"net-bank": "企业网银助手（银行 CA）", "ca": "CA 助手（数字证书）"}
MAX_CHALLENGE = 400
PEM = "application/x-pem-file"


def add_routes(app: "Outside") -> None:
    """Add both authorities."""
    for authority in TITLES:
        _routes(app, authority)


def _routes(app: "Outside", authority: str) -> None:
    @app.get(f"/{authority}/roots.pem", endpoint=f"{authority}-roots")
    def roots() -> Response:
        return app.misbehave(authority) or Response(
            app.authorities.roots(authority), content_type=PEM
        )

    @app.get(f"/{authority}/crl.pem", endpoint=f"{authority}-crl")
    def crl() -> Response:
        return app.misbehave(authority) or Response(
            app.authorities.crls(authority), content_type=PEM
        )

    @app.get(f"/{authority}/assistant", endpoint=f"{authority}-assistant")
    def assistant() -> str:
        return _page(app, authority, challenge=request.args.get("challenge", "")[:MAX_CHALLENGE])

    @app.post(f"/{authority}/assistant", endpoint=f"{authority}-act")
    def act() -> AnyResponse | str | tuple[str, int]:
        if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            return app.deliver(trouble(403, "cross-site", "请从本页面提交"))
        try:
            return _ACTS[request.form.get("act", "")](app, authority)
        except KeyError:
            return _page(app, authority, wrong="没有这张证书或这种操作"), 422


def _sign(app: "Outside", authority: str) -> str | tuple[str, int]:
    challenge = request.form.get("challenge", "")[:MAX_CHALLENGE].strip()
    if request.form.get("pin") != PIN:
        return _page(app, authority, challenge=challenge, wrong="PIN 码错误"), 422
    if not challenge:
        return _page(app, authority, wrong="请填写待签名内容"), 422
    signed = app.authorities.sign(authority, request.form.get("certificate", ""), challenge)
    return _page(app, authority, challenge=challenge, signed=signed)


def _issue(app: "Outside", authority: str) -> str | tuple[str, int]:
    unit = request.form.get("unit", "").strip()
    uscc = request.form.get("uscc", "").strip().upper()
    if not unit or "/" in unit or "=" in unit or not is_uscc(uscc):
        return _page(app, authority, wrong="请填写单位名称和正确的统一社会信用代码"), 422
    app.authorities.issue(authority, request.form.get("algorithm", ""), unit, uscc)
    return _page(app, authority)


def _revoke(app: "Outside", authority: str) -> str:
    app.authorities.revoke(authority, request.form.get("certificate", ""))
    return _page(app, authority)


_ACTS = {"sign": _sign, "issue": _issue, "revoke": _revoke}


def _page(
    app: "Outside", authority: str, *, challenge: str = "", signed: str = "", wrong: str = ""
) -> str:
    return render_template(
        "assistant.html",
        title=TITLES[authority],
        algorithms=app.authorities.ALGORITHMS[authority],
        token=app.authorities.on_token(authority),
        challenge=challenge,
        signed=signed,
        wrong=wrong,
        pin=PIN,
    )
