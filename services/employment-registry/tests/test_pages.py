"""What people see on the pages of the registry when it cannot show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from employment_registry.app import create_app
from employment_registry.settings import Settings
from servicekit.testing.settings import sample_settings


@pytest.fixture(scope="module")
def stranded() -> Iterator[Any]:
    """The service without its database: nobody listens there."""
    gone = {"database_url": "postgresql://nobody@127.0.0.1:1/nothing"}
    app = create_app(sample_settings(Settings, "EMPLOYMENT_REGISTRY", **gone))
    yield app.test_client()
    app.database.close()


@pytest.mark.req("ER-10", "ER-11", "AL-08")
@pytest.mark.parametrize("path", ["/guides", "/guides/unemployment", "/certificates/unknown"])
def test_who_cannot_be_shown_a_page_is_told_so_on_one(stranded: Any, path: str) -> None:
    answer = stranded.get(path)
    html = answer.get_data(as_text=True)
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert "系统繁忙，请稍后再试" in html
    assert 'href="tel:12333"' in html
    assert answer.headers["X-Request-Id"] in html
    assert answer.headers["Retry-After"] == "1"
    assert "<script" not in html
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.req("AL-08")
def test_a_program_is_told_in_its_own_way(stranded: Any) -> None:
    answer = stranded.get("/api/employment-registry/v1/guides")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
