"""Forty at once on what only one may do: claim, hand over, decide, alone or in a batch, urge."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from servicekit.teamwork.rules import is_sampled
from servicekit.testing.racing import at_once

AT_ONCE = 40
PATH = "flexible-employment-reviews"
LOST = {"changed-meanwhile", "wrong-state", "claimed-by-other", "assigned-to-other"}


def filed(desk: Any) -> tuple[Any, Any]:
    while True:
        lin = desk.person()
        draft = lin.opens(**desk.form)
        if not is_sampled(draft["id"], 5):
            return lin, lin.submits(draft)
        lin.deletes(draft)


@pytest.mark.req("AL-10")
def test_of_forty_transfers_and_claims_one_wins(desk: Any) -> None:
    receivers = [desk.officer("440106") for _ in range(AT_ONCE // 2)]
    officers = [desk.officer("440106") for _ in range(AT_ONCE // 2)]
    lin, application = filed(desk)
    version = application["version"]
    wishes = [
        lambda o=o, r=r: o.tries_to(
            "transfer",
            application,
            {"officer_id": r.claims["sub"], "reason": "属地"},
            version=version,
        )
        for o, r in zip(officers, receivers, strict=True)
    ]
    claims = [lambda o=o: o.tries_to("claim", application) for o in officers]
    ends = at_once(*wishes, *claims)
    assert ends["done"] == 1
    assert set(ends) <= LOST | {"done"}
    shown = officers[0].shows(application)
    story = officers[0].get(f"{PATH}/{application['id']}/history").json
    transfers = [e for e in story if e["move"] == "transfer"]
    assert len(transfers) <= 1
    if transfers:
        assert transfers[0]["note"].startswith(shown["assigned_to"])
    assert lin.shows(application)["state"] == "submitted"
    assert desk.history_is_whole()


@pytest.mark.req("AL-10", "AL-02")
def test_a_batch_and_single_decisions_at_once_have_one_effect(desk: Any) -> None:
    lin, application = filed(desk)
    body = {"move": "approve", "items": [{"id": application["id"]}]}
    officers = [desk.officer("440106") for _ in range(AT_ONCE)]

    def batch(officer: Any) -> str:
        (result,) = officer.post(f"{PATH}/batch", body).json["results"]
        return "done" if result["done"] else str(result["problem"]["code"])

    def single(officer: Any) -> str:
        answer = officer.tries_to("reject", application, {"reason": "不符"})
        return "done" if answer.status_code == 200 else str(answer.json["code"])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        half = AT_ONCE // 2
        tried = [pool.submit(batch, officer) for officer in officers[:half]]
        tried += [pool.submit(single, officer) for officer in officers[half:]]
        ends = Counter(each.result() for each in tried)
    assert ends["done"] == 1
    assert set(ends) <= LOST | {"done"}
    state = lin.shows(application)["state"]
    assert desk.counts()["records"] == (1 if state == "approved" else 0)
    assert desk.history_is_whole()


@pytest.mark.req("AL-10")
def test_a_question_asked_while_others_approve_is_never_passed_over(desk: Any) -> None:
    lin, application = filed(desk)
    colleague = desk.officer("440106")
    officers = [desk.officer("440106") for _ in range(AT_ONCE)]
    question = {"kind": "joint", "officers": [colleague.claims["sub"]], "question": "是否属实？"}
    wishes = [lambda o=o: o.tries_to("opinions", application, question) for o in officers[:20]]
    wishes += [lambda o=o: o.tries_to("approve", application, {}) for o in officers[20:]]
    ends = at_once(*wishes)
    assert set(ends) <= LOST | {"done", "opinion-open", "opinion-already-asked"}
    asked = [row for row in desk.rows("review_opinion") if row.ended_at is None]
    state = lin.shows(application)["state"]
    assert ends["done"] == 1
    assert (state, len(asked)) in {("approved", 0), ("submitted", 1)}


@pytest.mark.req("AL-10")
def test_forty_urgings_are_one(desk: Any) -> None:
    lin, application = filed(desk)
    ends = at_once(*[lambda: lin.tries_to("urge", application, {})] * AT_ONCE)
    assert ends["done"] == 1
    assert set(ends) <= {"done", "urged-already", "changed-meanwhile"}
    assert len(desk.rows("review_urging")) == 1
