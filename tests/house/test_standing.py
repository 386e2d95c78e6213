"""Every service stands: it starts, migrates, says how it is, and lets nobody in by accident."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points

import pytest
from flask import Blueprint
from openapi_spec_validator import validate

from servicekit.migrations import upgrade
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture
from servicekit.testing.settings import NOWHERE, sample_settings
from servicekit.web.app import ServiceApp, UnmarkedRoute, build
from servicekit.web.openapi import document

SERVICES = sorted(entry_points(group="suite.services"), key=lambda entry: entry.name)
each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda entry: entry.name)


@contextmanager
def made(service: EntryPoint, url: str) -> Iterator[ServiceApp]:
    """The service over the database at an address."""
    package, prefix = service.value.split(".", 1)[0], service.name.replace("-", "_").upper()
    cls = importlib.import_module(f"{package}.settings").Settings
    settings = sample_settings(cls, prefix, database_url=url, bus_url=f"local://{url}")
    app: ServiceApp = service.load()(settings)
    yield app
    app.database.close()


@pytest.fixture
def app(service: EntryPoint, postgres: TestPostgres) -> Iterator[ServiceApp]:  # noqa: F811
    """The service, migrated."""
    package = service.value.split(".", 1)[0]
    postgres.template_for(service.name, lambda url: upgrade(url, package))
    with postgres.fresh_database(service.name) as url, made(service, url) as app:
        yield app


@each_service
def test_it_is_ready_when_its_database_is_migrated(app: ServiceApp) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")


@each_service
def test_it_lives_and_is_not_ready_before_its_migrations(
    service: EntryPoint,
    postgres: TestPostgres,  # noqa: F811
) -> None:
    with postgres.fresh_database() as url, made(service, url) as app:
        assert app.test_client().get("/readyz").status_code == 503
        assert app.test_client().get("/livez").status_code == 200


@each_service
def test_it_lives_and_is_not_ready_without_its_database(service: EntryPoint) -> None:
    with made(service, NOWHERE) as app:
        assert app.test_client().get("/readyz").status_code == 503
        assert app.test_client().get("/livez").status_code == 200


@each_service
def test_it_says_what_it_is(app: ServiceApp) -> None:
    service = app.service
    answer = app.test_client().get(f"/api/{service.name}/v1/about")
    assert answer.status_code == 200
    assert answer.json["service"] == service.name
    assert answer.json["title"] == service.title
    assert answer.json["matters"] == sorted(workflow.name for workflow in service.workflows)


@each_service
def test_its_contract_is_openapi(app: ServiceApp) -> None:
    contract = document(app)
    validate(contract)
    assert f"/api/{app.service.name}/v1/about" in contract["paths"]


@each_service
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


@each_service
def test_a_route_that_nobody_marked_stops_the_start(service: EntryPoint) -> None:
    forgotten = Blueprint("forgotten", __name__)
    forgotten.add_url_rule("/forgotten", view_func=lambda: "open to everybody")
    with made(service, NOWHERE) as app, pytest.raises(UnmarkedRoute, match="/forgotten"):
        build(replace(app.service, blueprints=(forgotten,)), app.settings)
