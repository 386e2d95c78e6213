"""The routes of the registers about persons, and the page on which things happen to people."""

import datetime
from typing import TYPE_CHECKING

from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from outside.behaviour import trouble
from outside.registers import DOCUMENTS, TITLES

if TYPE_CHECKING:
    from outside.app import Outside


def add_routes(app: "Outside") -> None:
    """Add them for each register."""
    for name in TITLES:
        _questions(app, name)
        _page(app, name)


def _questions(app: "Outside", name: str) -> None:
    register = app.registers[name]

    @app.post(f"/{name}/checks", endpoint=f"{name}-check")
    def check() -> Response:
        if instead := app.misbehave(name):
            return instead
        return app.deliver(register.check(request.get_json(), dict(request.headers)))

    @app.post(f"/{name}/changes", endpoint=f"{name}-changes")
    def changes() -> Response:
        if instead := app.misbehave(name):
            return instead
        return app.deliver(register.list_changes(request.get_json(), dict(request.headers)))


def _page(app: "Outside", name: str) -> None:
    register = app.registers[name]

    @app.get(f"/{name}", endpoint=f"{name}-page")
    def page() -> str:
        return _written()

    @app.post(f"/{name}", endpoint=f"{name}-report")
    def report() -> AnyResponse | tuple[str, int]:
        if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            return app.deliver(trouble(403, "cross-site", "请从本页面提交"))
        form = request.form
        number = form.get("document_number", "").strip().upper()
        document = form.get("document_kind", "resident-card")
        try:
            register.report(
                form.get("kind", ""), number, form.get("on", ""), document_kind=document
            )
        except ValueError as error:
            return _written(str(error)), 422
        return redirect(f"/{name}", 303)

    def _written(wrong: str = "") -> str:
        today = datetime.datetime.now(tz=datetime.UTC).date()
        return render_template(
            "register.html",
            name=name,
            title=TITLES[name],
            kinds=register.kinds,
            documents=DOCUMENTS,
            changes=register.changes.newest_first(),
            today=today.isoformat(),
            wrong=wrong,
        )
