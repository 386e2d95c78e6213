"""The routes of the scanning systems and of the legal-person base; the telephone's page."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Response, render_template, request

from outside import holders
from outside.behaviour import trouble
from outside.scanning import Scanning, Session

if TYPE_CHECKING:
    from outside.app import Outside

TITLES = {
    "social-card": "电子社保卡",
    "face": "人脸识别小程序",
    "licence": "电子营业执照",
}
FIELDS = {
    "social-card": holders.social_card_fields,
    "face": holders.face_fields,
    "licence": holders.licence_fields,
}
LIVES = {"social-card": 180.0, "face": 300.0, "licence": 300.0}  # 电子营业执照: 5 分钟
HOLDERS: dict[str, Callable[..., dict[str, str] | str]] = {
    "social-card": holders.social_card,
    "face": holders.face,
    "licence": holders.licence,
}
STATES = {
    "confirmed": "已确认，请回到电脑继续操作。",
    "refused": "已拒绝。",
    "failed": "未通过，请回到电脑查看原因。",
    "expired": "二维码已失效，请在电脑上刷新后重新扫码。",
}


def scanning_systems(
    secrets: dict[str, str], clock: Callable[[], float] = time.time
) -> dict[str, Scanning]:
    """The three systems, each with its own secret and its own life of a code."""
    return {
        name: Scanning(secrets[name], life=LIVES[name], holder=HOLDERS[name], clock=clock)
        for name in TITLES
    }


def add_routes(app: "Outside") -> None:
    """Add the base and the scanning systems."""
    _base_routes(app)
    for name in TITLES:
        _scanning_routes(app, name)


def _base_routes(app: "Outside") -> None:
    @app.post("/legal-person-base/checks")
    def check_unit() -> Response:
        if instead := app.misbehave("legal-person-base"):
            return instead
        return app.deliver(app.legal_person_base.check(request.get_json(), dict(request.headers)))


def _scanning_routes(app: "Outside", name: str) -> None:
    system = app.scanning[name]

    @app.post(f"/{name}/sessions", endpoint=f"{name}-start")
    def start() -> Response:
        if instead := app.misbehave(name):
            return instead
        address = f"{request.host_url}{name}"
        return app.deliver(system.start(request.get_json(), dict(request.headers), address=address))

    @app.post(f"/{name}/results", endpoint=f"{name}-result")
    def result() -> Response:
        if instead := app.misbehave(name):
            return instead
        return app.deliver(system.result(request.get_json(), dict(request.headers)))

    @app.get(f"/{name}/scan/<token>", endpoint=f"{name}-telephone")
    def telephone(token: str) -> Response | str:
        session = system.on_telephone(token)
        if session is None:
            return app.deliver(trouble(404, "no-session", "二维码无效"))
        return _telephone_page(name, session)

    @app.post(f"/{name}/scan/<token>", endpoint=f"{name}-answer")
    def answer(token: str) -> Response | tuple[str, int] | str:
        if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            return app.deliver(trouble(403, "cross-site", "请从本页面提交"))
        wrong = system.answer_from(token, request.form)
        session = system.on_telephone(token)
        if session is None:
            return app.deliver(trouble(404, "no-session", "二维码无效"))
        page = _telephone_page(name, session, wrong)
        return (page, 422) if wrong else page


def _telephone_page(name: str, session: Session, wrong: str = "") -> str:
    return render_template(
        "telephone.html",
        title=TITLES[name],
        session=session,
        open=session.state == "scanned",
        told=STATES.get(session.state, ""),
        fields=FIELDS[name](session.asked),
        wrong=wrong,
    )
