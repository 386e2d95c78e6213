"""The one process: routes of all systems, their pages, and the header that gives them away."""

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from flask import Flask, Response, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from outside import authority_routes, province_pages, register_routes, registers, routes
from outside.authority import Authorities
from outside.bank_card import BankCardCheck
from outside.behaviour import MAX_SILENCE, PRESETS, Answer, Behaviour, trouble
from outside.legal_person_base import LegalPersonBase
from outside.province import Province
from outside.sms import SmsGateway

MAX_BODY = 64 * 1024
# Public on purpose; production refuses them.
DEFAULT_SECRETS: Mapping[str, str] = {
    name: f"simulator-{name}"
    for name in (
        "bank-card",
        "legal-person-base",
        "social-card",
        "face",
        "licence",
        "province",
        "population-register",
        "social-security",
    )
}
TITLES: Mapping[str, str] = {
    "sms": "短信网关",
    "bank-card": "银行卡四要素核验",
    "legal-person-base": "法人基础库",
    **routes.TITLES,
    "net-bank": "网银证书(银行 CA)",
    "ca": "数字证书认证中心(CA)",
    "province": "省统一身份认证",
    **registers.TITLES,
}
CSP = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class Outside(Flask):
    """The application and the state of every system it plays."""

    def __init__(self, *, secrets: Mapping[str, str], silence: float) -> None:
        """Make the systems; `silence` is how many seconds a timeout lasts."""
        super().__init__("outside", root_path=str(Path(__file__).parent))
        self.config["MAX_CONTENT_LENGTH"] = MAX_BODY
        self.sms = SmsGateway()
        known = {**DEFAULT_SECRETS, **secrets}
        self.bank_card = BankCardCheck(known["bank-card"])
        self.legal_person_base = LegalPersonBase(known["legal-person-base"])
        self.scanning = routes.scanning_systems(known)
        self.registers = registers.registers(known)
        self.authorities = Authorities()
        self.province = Province(known["province"])
        self.silence = min(silence, MAX_SILENCE)
        self.stopping = threading.Event()
        self.behaviours = {name: Behaviour(name, title) for name, title in TITLES.items()}

    def deliver(self, answer: Answer) -> Response:
        """Turn a system's answer into HTTP, holding it back when it is silence."""
        if answer.silence:
            self.stopping.wait(self.silence)
        text = answer.body if isinstance(answer.body, str) else json.dumps(dict(answer.body))
        response = Response(text, answer.status, content_type="application/json")
        if answer.retry_after is not None:
            response.headers["Retry-After"] = str(answer.retry_after)
        return response

    def misbehave(self, system: str) -> Response | None:
        """Be slow, and give the answer the admin page asked for, if it asked for one."""
        latency, instead = self.behaviours[system].intercept()
        if latency:
            self.stopping.wait(latency)
        return self.deliver(instead) if instead else None


def create_app(
    *,
    bank_card_secret: str | None = None,
    secrets: Mapping[str, str] | None = None,
    silence: float = 15.0,
) -> Outside:
    """Build the simulators.

    Args: bank_card_secret: what callers of the bank-card check sign with.
        secrets: the same for every system, by its name in `DEFAULT_SECRETS`.
        silence: how many seconds a timeout lasts, at most 60.
    """
    known = dict(secrets or {})
    if bank_card_secret is not None:
        known["bank-card"] = bank_card_secret
    app = Outside(secrets=known, silence=silence)
    app.after_request(_give_away)
    app.register_error_handler(HTTPException, _refuse)
    app.add_url_rule("/livez", view_func=lambda: {"status": "ok"}, endpoint="livez")
    _sms_routes(app)
    _bank_card_routes(app)
    routes.add_routes(app)
    authority_routes.add_routes(app)
    province_pages.add_routes(app)
    register_routes.add_routes(app)
    _admin_routes(app)
    return app


def _give_away(response: AnyResponse) -> AnyResponse:
    response.headers["X-Simulator"] = "1"
    # The province's login form ends at the client's address.
    ends_elsewhere = request.path == "/province/authorize"
    response.headers["Content-Security-Policy"] = (
        CSP.replace("form-action 'self'", "form-action 'self' http: https:")
        if ends_elsewhere
        else CSP
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _refuse(error: HTTPException) -> AnyResponse:
    answer = trouble(error.code or 500, error.name.lower().replace(" ", "-"), "请求无法处理")
    response = Response(json.dumps(answer.body), answer.status, content_type="application/json")
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def _sms_routes(app: Outside) -> None:
    @app.post("/sms/messages")
    def send() -> Response:
        if instead := app.misbehave("sms"):
            return instead
        body = request.get_json()
        if not isinstance(body, dict) or set(body) != {"to", "text", "reference"}:
            return app.deliver(trouble(400, "bad-body", "应含且仅含 to、text、reference"))
        return app.deliver(app.sms.send(**body))

    @app.get("/sms/messages")
    def messages() -> dict[str, object]:
        found = app.sms.messages(request.args.get("to", ""))
        return {"items": [{**asdict(m), "at": m.at.isoformat()} for m in found]}

    @app.get("/sms")
    def inbox() -> str:
        to = request.args.get("to", "")
        return render_template("inbox.html", messages=app.sms.messages(to), to=to)


def _bank_card_routes(app: Outside) -> None:
    @app.post("/bank-card/checks")
    def check() -> Response:
        if instead := app.misbehave("bank-card"):
            return instead
        return app.deliver(app.bank_card.check(request.get_json(), dict(request.headers)))


def _admin_routes(app: Outside) -> None:
    @app.get("/")
    def home() -> AnyResponse:
        return redirect("/admin")

    @app.get("/admin")
    def admin() -> str:
        return _admin_page(app)

    @app.post("/admin/<system>")
    def change(system: str) -> AnyResponse | tuple[str, int]:
        if system not in app.behaviours:
            return app.deliver(trouble(404, "not-found", "没有这个系统"))
        if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            return app.deliver(trouble(403, "cross-site", "请从本页面提交"))
        form = request.form
        try:
            app.behaviours[system].change(
                latency=float(form.get("latency", "0")),
                error_rate=float(form.get("error_rate", "0")),
                next_answer=form.get("next_answer", ""),
            )
        except ValueError as error:
            return _admin_page(app, wrong=str(error)), 422
        return redirect("/admin", 303)


def _admin_page(app: Outside, wrong: str = "") -> str:
    systems = list(app.behaviours.values())
    return render_template("admin.html", systems=systems, presets=list(PRESETS), wrong=wrong)
