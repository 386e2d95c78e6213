"""The province's unified identity over HTTP: discovery, login, registration, tokens, userinfo."""

from typing import TYPE_CHECKING, Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from flask import Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from outside.behaviour import trouble
from outside.province import ACCOUNT_TYPES, ACR, issuer
from outside.province_accounts import LEVELS, Person

if TYPE_CHECKING:
    from outside.app import Outside

FIELDS = ("login_name", "password", "name", "number", "level", "kind")


def add_routes(app: "Outside") -> None:
    """Bind the provider to the application, and add its routes."""
    app.province.init_app(app)
    _metadata_routes(app)
    _login_routes(app)
    _token_routes(app)
    _account_routes(app)
    _applicant_routes(app)


def _metadata_routes(app: "Outside") -> None:
    @app.get("/province/.well-known/openid-configuration")
    def province_discovery() -> Response:
        here = issuer()
        return app.misbehave("province") or jsonify(
            issuer=here,
            authorization_endpoint=f"{here}/authorize",
            token_endpoint=f"{here}/token",
            userinfo_endpoint=f"{here}/userinfo",
            jwks_uri=f"{here}/jwks.json",
            response_types_supported=["code"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["RS256"],
            token_endpoint_auth_methods_supported=["client_secret_basic"],
            code_challenge_methods_supported=["S256"],
            authorization_response_iss_parameter_supported=True,
            acr_values_supported=[ACR.format(level) for level in LEVELS],
        )

    @app.get("/province/jwks.json")
    def province_keys() -> Response:
        return app.misbehave("province") or jsonify(app.province.keys.as_dict(private=False))


def _login_routes(app: "Outside") -> None:
    @app.get("/province/authorize")
    def province_login() -> AnyResponse | str | tuple[str, int]:
        if instead := app.misbehave("province"):
            return instead
        try:
            app.province.get_consent_grant(end_user=None)
        except OAuth2Error as error:
            return _page("province-login.html", wrong=f"{error.error}"), 400
        return _page("province-login.html")

    @app.post("/province/authorize")
    def province_log_in() -> AnyResponse | str | tuple[str, int]:
        if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            return app.deliver(trouble(403, "cross-site", "请从本页面提交"))
        person = None
        if request.form.get("decision") != "refuse":
            form = request.form
            person = app.province.accounts.sign_in(
                form.get("login_name", ""), form.get("password", "")
            )
            if person is None:
                return _page("province-login.html", wrong="账号或密码错误"), 401
        return _answer(app, person)


def _answer(app: "Outside", person: Person | None) -> AnyResponse:
    try:
        grant = app.province.get_consent_grant(end_user=person)
    except OAuth2Error as error:
        return app.deliver(trouble(400, error.error.replace("_", "-"), "请求无法处理"))
    answer: Response = app.province.create_authorization_response(grant_user=person, grant=grant)
    if answer.location:
        answer.location = add_params_to_uri(answer.location, {"iss": issuer()})
    return answer


def _token_routes(app: "Outside") -> None:
    @app.post("/province/token")
    def province_token() -> Response:
        made: Response = app.misbehave("province") or app.province.create_token_response()
        return made

    @app.get("/province/userinfo")
    def province_userinfo() -> AnyResponse:
        if instead := app.misbehave("province"):
            return instead
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        person = app.province.person_of(token)
        if person is None:
            return app.deliver(trouble(401, "invalid-token", "令牌无效"))
        return jsonify(_claims(person))


def _account_routes(app: "Outside") -> None:
    accounts = app.province.accounts

    @app.get("/province/")
    def province_home() -> str:
        return _page("province-accounts.html", accounts=accounts.everybody(), levels=LEVELS)

    @app.post("/province/register")
    def province_register() -> AnyResponse | tuple[str, int]:
        form = {name: request.form.get(name, "") for name in (*FIELDS, "phone")}
        wrong = accounts.register(form)
        if wrong:
            page = _page(
                "province-accounts.html", accounts=accounts.everybody(), levels=LEVELS,
                wrong="；".join(wrong.values()),
            )  # fmt: skip
            return page, 422
        if form["kind"] == "unit":  # base data → 实名核验 of the applicant → done
            made = accounts.by_login(form["login_name"])
            return redirect(f"/province/applicant?sub={made.sub if made else ''}", 303)
        return redirect("/province/", 303)

    @app.post("/province/level")
    def province_level() -> AnyResponse:
        level = request.form.get("level", "")
        if not level.isdigit() or int(level) not in LEVELS:
            return app.deliver(trouble(422, "bad-level", "没有这个等级"))
        accounts.set_level(request.form.get("sub", ""), int(level))
        return redirect("/province/", 303)


def _applicant_routes(app: "Outside") -> None:
    accounts = app.province.accounts

    @app.get("/province/applicant")
    def province_applicant() -> AnyResponse | str:
        unit = accounts.new_code(request.args.get("sub", ""))
        if unit is None:
            return app.deliver(trouble(404, "no-unit", "没有这个法人账号"))
        return _page("province-applicant.html", unit=unit, code=unit.code)

    @app.post("/province/applicant")
    def province_prove_applicant() -> AnyResponse | tuple[str, int]:
        form = {name: request.form.get(name, "").strip() for name in ("sub", "code", "name")}
        number = request.form.get("number", "").strip().upper()
        if wrong := accounts.prove_applicant(**form, number=number):
            unit = accounts.new_code(form["sub"])
            if unit is None:
                return app.deliver(trouble(404, "no-unit", "没有这个法人账号"))
            return _page("province-applicant.html", unit=unit, code=unit.code, wrong=wrong), 422
        return redirect("/province/", 303)


def _claims(person: Person) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "sub": person.sub,
        "account_type": ACCOUNT_TYPES[person.kind],
        "level": person.level,
        "name": person.name,
        "id_number": person.number,
        "phone_number": person.phone,
    }
    if person.kind == "unit":
        claims["applicant"] = {"name": person.agent_name, "id_number": person.agent_number}
    return claims


def _page(template: str, *, wrong: str = "", **values: Any) -> str:
    return render_template(template, wrong=wrong, **values)
