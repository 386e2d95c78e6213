"""批量: many at once, an answer for each, and nothing of one spoils another."""

from __future__ import annotations

from typing import Any

import pytest

from servicekit.teamwork.rules import MOST_AT_ONCE, is_sampled

BATCH = "flexible-employment-reviews/batch"


def filed(desk: Any, *, sampled: bool = False) -> tuple[Any, Any]:
    """An application, of those the sample takes or leaves alone."""
    while True:
        lin = desk.person()
        draft = lin.opens(**desk.form)
        if is_sampled(draft["id"], 5) is sampled:
            return lin, lin.submits(draft)
        lin.deletes(draft)


def items(*applications: Any) -> list[dict[str, Any]]:
    return [{"id": each["id"]} for each in applications]


@pytest.mark.req("AL-02", "AL-10")
def test_each_of_a_batch_has_its_own_answer(desk: Any) -> None:
    officer, other = desk.officer("440106"), desk.officer("440106")
    good, held, taken_back, stale = (filed(desk) for _ in range(4))
    other.claims_it(held[1])
    taken_back[0].withdraws(taken_back[1])
    ids = [each[1]["id"] for each in (good, held, taken_back, stale)]
    wanted: list[dict[str, Any]] = [{"id": one} for one in [*ids, "nobody-knows-it"]]
    wanted[3]["version"] = 99
    answer = officer.done(officer.post(BATCH, {"move": "approve", "items": wanted}))
    assert (answer["done"], answer["refused"]) == (1, 4)
    assert [result["id"] for result in answer["results"]] == [*ids, "nobody-knows-it"]
    assert [result["state"] for result in answer["results"]] == ["approved", *[None] * 4]
    problems = [result["problem"]["code"] for result in answer["results"] if not result["done"]]
    assert problems == [
        "claimed-by-other",
        "wrong-state",
        "changed-meanwhile",
        "application-not-found",
    ]
    assert answer["results"][1]["problem"]["claimed_until"]
    assert good[0].record()["is_valid"]
    assert desk.counts()["records"] == 1
    assert desk.history_is_whole()


@pytest.mark.req("AL-07", "AL-02")
def test_a_batch_sent_again_has_one_effect(desk: Any) -> None:
    officer = desk.officer("440106")
    (_, one), (_, two) = filed(desk), filed(desk)
    body = {"move": "approve", "items": items(one, two)}
    first = officer.post(BATCH, body, key="once")
    counts = desk.counts()
    again = officer.post(BATCH, body, key="once")
    assert again.json == first.json
    assert first.json["done"] == 2
    assert desk.counts() == counts
    other = officer.post(BATCH, body | {"note": "另一件事"}, key="once")
    assert (other.status_code, other.json["code"]) == (422, "idempotency-key-reused")
    without = officer.client.post(BATCH, body, key=None)
    assert without.json["code"] == "idempotency-key-missing"


@pytest.mark.req("AL-02")
def test_a_batch_returns_and_rejects_with_reasons_and_claims(desk: Any) -> None:
    officer = desk.officer("440106")
    people = [filed(desk) for _ in range(2)]
    applications = [application for _, application in people]

    def sends(move: str, **said: Any) -> Any:
        return officer.post(BATCH, {"move": move, "items": items(*applications), **said})

    for wrong, field in (
        (sends("return"), "/reason"),
        (sends("reject", reason_code="work-place-unclear"), "/reason_code"),
        (sends("endorse"), "/move"),
        (officer.post(BATCH, {"move": "claim", "items": []}), "/items"),
        (officer.post(BATCH, {"move": "claim", "items": items(*applications[:1] * 2)}), "/items"),
        (officer.post(BATCH, {"move": "claim", "items": items(*applications) * 101}), "/items"),
    ):
        assert wrong.status_code == 422, wrong.text
        assert field in [error["field"] for error in wrong.json["errors"]]
    assert MOST_AT_ONCE == 200
    assert officer.done(sends("claim"))["done"] == 2
    assert len(officer.queue(held_by="me")) == 2
    back = officer.done(sends("return", reason_code="phone-unreachable", reason="请于三日内补正。"))
    assert back["done"] == 2
    for lin, application in people:
        assert lin.shows(application)["decision_reason"].endswith("请于三日内补正。")
    assert officer.done(sends("reject", reason="不符"))["refused"] == 2  # not waiting any more


@pytest.mark.req("AL-02")
def test_a_sample_of_what_batches_approve_is_anothers_to_approve(desk: Any) -> None:
    officer, other = desk.officer("440106"), desk.officer("440106")
    lin, application = filed(desk, sampled=True)
    body = {"move": "approve", "items": items(application)}
    (result,) = officer.done(officer.post(BATCH, body))["results"]
    assert (result["done"], result["problem"]["code"]) == (False, "second-officer-needed")
    assert other.post(BATCH, body).json["results"][0]["problem"]["code"] == "second-officer-needed"
    refused = officer.tries_to("approve", application, {})
    assert (refused.status_code, refused.json["code"]) == (403, "four-eyes")
    assert other.approves(application)["state"] == "approved"
    story = other.get(f"flexible-employment-reviews/{application['id']}/history").json
    assert [e["move"] for e in story] == ["submit", "hold-for-second", "approve"]
    assert lin.record() is not None


def test_the_sample_is_about_as_large_as_it_says() -> None:
    taken = sum(is_sampled(f"application-{n}", 5) for n in range(10_000))
    assert 400 < taken < 600
    assert not any(is_sampled(f"application-{n}", 0) for n in range(100))
