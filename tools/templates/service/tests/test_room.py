"""示例服务 stands: it starts, migrates, says how it is, and lets nobody in by accident."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Blueprint
from openapi_spec_validator import validate
from sample_service.app import SERVICE

from servicekit.testing.postgres import TestPostgres
from servicekit.web.app import ServiceApp, UnmarkedRoute, build
from servicekit.web.openapi import document

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def test_it_is_ready_when_its_database_is_migrated(app: ServiceApp) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")


def test_it_lives_and_is_not_ready_before_its_migrations(
    postgres: TestPostgres, make_app: Callable[[str], ServiceApp]
) -> None:
    with postgres.fresh_database() as url:
        client = make_app(url).test_client()
        assert client.get("/readyz").status_code == 503
        assert client.get("/livez").status_code == 200


def test_it_lives_and_is_not_ready_without_its_database(
    make_app: Callable[[str], ServiceApp],
) -> None:
    client = make_app(NOWHERE).test_client()
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200


def test_it_says_what_it_is(app: ServiceApp) -> None:
    answer = app.test_client().get("/api/sample-service/v1/about")
    assert answer.status_code == 200
    assert answer.json["service"] == "sample-service"
    assert answer.json["title"] == "示例服务"
    assert answer.json["matters"] == sorted(workflow.name for workflow in SERVICE.workflows)


def test_its_contract_is_openapi(app: ServiceApp) -> None:
    contract = document(app)
    validate(contract)
    assert "/api/sample-service/v1/about" in contract["paths"]


def test_only_what_is_marked_public_is_open(app: ServiceApp) -> None:
    adapter = app.url_map.bind("127.0.0.1")
    for rule in app.url_map.iter_rules():
        if app.marks[rule.endpoint].is_public:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            values = dict.fromkeys(rule.arguments, "1")
            answer = app.test_client().open(adapter.build(rule.endpoint, values), method=method)
            assert answer.status_code == 401, (method, rule)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_route_that_nobody_marked_stops_the_start(app: ServiceApp) -> None:
    forgotten = Blueprint("forgotten", __name__)
    forgotten.add_url_rule("/forgotten", view_func=lambda: "open to everybody")
    with pytest.raises(UnmarkedRoute, match="/forgotten"):
        build(replace(SERVICE, blueprints=(forgotten,)), app.settings)
