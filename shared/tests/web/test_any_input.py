"""Whatever JSON, query or header arrives, the answer is never a mistake of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["2026-02-30", "9.90", "1e400", "-0", "２", "2026-03-02T09:30:00+08:00"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = ("title", "pages", "price", "weight", "urgent", "due_on", "seen_at", "tags", "main_tag")
FORMS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), JSON, max_size=9)
EXPECTED = {201, 400, 409, 415, 422}
MANY = settings(max_examples=80)


def check(answer: Any) -> None:
    """One of the answers we mean, as a problem document unless it went well."""
    assert answer.status_code in EXPECTED, answer.get_data(as_text=True)
    if answer.status_code >= 400:
        assert answer.content_type == "application/problem+json"
        wrong = json.loads(answer.data).get("errors", [])
        assert all(set(one) == {"field", "code", "message"} for one in wrong)


@pytest.mark.req("AL-08")
@MANY
@given(body=FORMS | JSON)
def test_any_json_is_answered(paper_room: Any, body: Any) -> None:
    text = json.dumps(body)  # NaN and lone surrogates too, as careless clients write them
    check(paper_room.person().post("/papers", data=text, content_type="application/json"))


@pytest.mark.req("AL-08")
@MANY
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered(paper_room: Any, body: bytes) -> None:
    check(paper_room.person().post("/papers", data=body, content_type="application/json"))


@pytest.mark.req("AL-08")
@MANY
@given(
    name=st.sampled_from(["Authorization", "Idempotency-Key", "If-Match", "traceparent", "Accept"]),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60),
)
def test_any_header_is_answered(paper_room: Any, name: str, value: str) -> None:
    answer = paper_room.person().call("POST", "/papers", {"pages": 1}, headers={name: value})
    assert answer.status_code in EXPECTED | {401}, answer.get_data(as_text=True)


@MANY
@given(path=st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_address_is_answered(paper_room: Any, path: str) -> None:
    answer = paper_room.person().call("GET", f"/papers/{path}")
    assert answer.status_code in {200, 204, 308, 400, 401, 403, 404, 405, 422, 500}
    assert answer.status_code != 500 or path.startswith("broken")
