"""转办, 加签, 会签, 催办: what several officers and the applicant do with one application."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from employment_registry.handlers import SUBSCRIPTIONS
from servicekit.inbox import Envelope

BUSINESS = "employment-registry.flexible-employment"
QUEUE = "flexible-employment-reviews"
SAME_QUESTION = """
    INSERT INTO review_opinion
    SELECT 'other', business, application_id, kind, asked_by, asked_of, asked_at, question
    FROM review_opinion
"""


def filed(desk: Any) -> tuple[Any, Any]:
    lin = desk.person()
    return lin, lin.submits(lin.opens(**desk.form))


def told(desk: Any) -> list[tuple[str, str]]:
    handed = [row.data for row in desk.rows("outbox") if row.type.endswith("review.handed.v1")]
    return [(fact["officer_id"], fact["matter"]) for fact in handed]


def hands(officer: Any, application: Any, to: Any, reason: str = "属地在该街道") -> Any:
    body = {"officer_id": to.claims["sub"], "reason": reason}
    return officer.tries_to("transfer", application, body)


def asks(officer: Any, application: Any, *colleagues: Any, kind: str = "advice") -> Any:
    ids = [colleague.claims["sub"] for colleague in colleagues]
    return officer.tries_to(
        "opinions", application, {"kind": kind, "officers": ids, "question": "是否属实？"}
    )


def answers(officer: Any, application: Any, answer: str) -> Any:
    listed = officer.get(f"{QUEUE}/{application['id']}/opinions").json
    asked = next(o for o in listed if o["asked_of"] == officer.claims["sub"] and not o["ended_at"])
    path = f"opinions/{asked['id']}/answer"
    return officer.tries_to(path, application, {"answer": answer, "words": "已核实"})


@pytest.mark.req("AL-10")
def test_what_is_handed_over_is_the_receivers_and_they_are_told(desk: Any) -> None:
    first, second, third = (desk.officer("440106") for _ in range(3))
    lin, application = filed(desk)
    first.claims_it(application)
    assert hands(second, application, third).json["code"] == "claimed-by-other"
    handed = first.done(hands(first, application, second))
    assert (handed["assigned_to"], handed["claimed_by"]) == (second.claims["sub"], None)
    assert told(desk) == [(second.claims["sub"], "transferred")]
    assert [row["id"] for row in second.queue(assigned="true")] == [application["id"]]
    assert first.queue(assigned="true") == []
    for move, body in (("claim", None), ("approve", {}), ("reject", {"reason": "不符"})):
        refused = first.tries_to(move, application, body)
        assert (refused.status_code, refused.json["code"]) == (409, "assigned-to-other")
    assert hands(first, application, second).json["code"] == "already-assigned"
    assert third.done(hands(third, application, third, "同事休假"))["assigned_to"]
    assert third.approves(application)["state"] == "approved"
    story = first.get(f"{QUEUE}/{application['id']}/history").json
    assert [e["move"] for e in story] == ["submit", "transfer", "transfer", "approve"]
    assert story[1]["note"] == f"{second.claims['sub']}：属地在该街道"
    assert [e["move"] for e in lin.history(application)] == ["submit", "approve"]
    assert desk.history_is_whole()


@pytest.mark.req("AL-10", "AL-02")
@pytest.mark.parametrize(("place", "whose"), [("440106004", True), ("440305001", False)])
def test_who_files_again_elsewhere_is_nobodys_there(desk: Any, place: str, whose: bool) -> None:
    first, second = desk.officer("440106"), desk.officer("440106")
    lin, application = filed(desk)
    first.done(hands(first, application, second))
    second.returns(application, reason="请补充")
    lin.submits(lin.saves(lin.shows(application), work_place=place))
    there = second if whose else desk.officer("440305")
    (row,) = there.queue()
    assert row["assigned_to"] == (second.claims["sub"] if whose else None)
    assert there.approves(application)["state"] == "approved"


@pytest.mark.req("AL-10")
def test_who_has_left_holds_nothing_up(desk: Any) -> None:
    first, second = desk.officer("440106"), desk.officer("440106")
    _, application = filed(desk)
    first.done(hands(first, application, second))
    desk.knows(second.claims["sub"], "440106", BUSINESS, active=False)
    assert hands(first, application, desk.officer("440106")).status_code == 200
    _, other = filed(desk)
    assert asks(first, other, second).json["errors"][0]["field"] == "/officers/0"


@pytest.mark.req("AL-10", "AL-02")
def test_nothing_is_handed_to_who_may_not_decide_on_it(desk: Any) -> None:
    officer = desk.officer("440106")
    _, application = filed(desk)
    elsewhere, below = desk.officer("440305"), desk.officer("440106004")
    other = desk.officer("440106", business="employment-registry.unemployment")
    for unsuitable in (elsewhere, below, other, desk.person()):
        refused = hands(officer, application, unsuitable)
        assert (refused.status_code, refused.json["code"]) == (422, "officer-unsuitable")
        assert refused.json["errors"][0]["field"] == "/officer_id"
    assert asks(officer, application, officer).status_code == 422  # oneself is no colleague
    assert hands(officer, application, desk.officer("44")).status_code == 200


@pytest.mark.req("AL-10")
def test_the_asker_cannot_approve_before_the_colleague_answers(desk: Any) -> None:
    first, second = desk.officer("440106"), desk.officer("4401")
    _, application = filed(desk)
    first.claims_it(application)
    assert first.done(asks(first, application, second))["awaited"] == 1
    assert asks(first, application, second).json["code"] == "opinion-already-asked"
    assert [row["id"] for row in second.queue(asked="true")] == [application["id"]]
    assert first.queue(asked="true") == []
    blocked = first.tries_to("approve", application, {})
    assert (blocked.status_code, blocked.json["code"]) == (409, "opinion-open")
    assert second.done(answers(second, application, "disagree"))["awaited"] == 0
    assert second.queue(asked="true") == []
    assert first.approves(application)["state"] == "approved"  # advice is not a veto
    assert told(desk) == [(second.claims["sub"], "advice"), (first.claims["sub"], "answered")]
    (opinion,) = first.get(f"{QUEUE}/{application['id']}/opinions").json
    assert (opinion["answer"], opinion["words"]) == ("disagree", "已核实")


@pytest.mark.req("AL-10")
def test_a_question_is_withdrawn_by_who_asked(desk: Any) -> None:
    first, second, third = (desk.officer("440106") for _ in range(3))
    _, application = filed(desk)
    first.done(asks(first, application, second))
    (opinion,) = first.get(f"{QUEUE}/{application['id']}/opinions").json
    path = f"opinions/{opinion['id']}"
    assert third.tries_to(f"{path}/answer", application, {"answer": "agree"}).status_code == 404
    assert third.tries_to(f"{path}/withdraw", application, {}).status_code == 404
    assert first.done(first.tries_to(f"{path}/withdraw", application, {}))["awaited"] == 0
    assert second.tries_to(f"{path}/answer", application, {"answer": "agree"}).status_code == 404
    assert first.approves(application)["state"] == "approved"


@pytest.mark.req("AL-10")
def test_a_joint_review_needs_every_agreement(desk: Any) -> None:
    first, second, third = (desk.officer("440106") for _ in range(3))
    _, application = filed(desk)
    asked = first.done(asks(first, application, second, third, kind="joint"))
    assert asked["awaited"] == 2
    second.done(answers(second, application, "agree"))
    third.done(answers(third, application, "disagree"))
    assert first.tries_to("approve", application, {}).json["code"] == "opinion-open"
    listed = first.get(f"{QUEUE}/{application['id']}/opinions").json
    against = next(o for o in listed if o["answer"] == "disagree")
    no_way_round = first.tries_to(f"opinions/{against['id']}/withdraw", application, {})
    assert no_way_round.status_code == 404
    third.done(answers(third, application, "agree"))
    assert first.approves(application)["state"] == "approved"


@pytest.mark.req("AL-10")
def test_sending_back_ends_what_was_asked(desk: Any) -> None:
    first, second = desk.officer("440106"), desk.officer("440106")
    lin, application = filed(desk)
    first.done(asks(first, application, second, kind="joint"))
    assert first.returns(application, reason="请补充")["awaited"] == 0
    lin.submits(lin.shows(application))
    assert second.queue(asked="true") == []
    assert first.approves(application)["state"] == "approved"


@pytest.mark.req("AL-10")
def test_an_applicant_urges_once_per_working_day_and_not_for_ever(desk: Any) -> None:
    officer, (lin, application) = desk.officer("440106"), filed(desk)
    assert officer.queue(urged="true") == []
    assert lin.tries_to("urge", application, {"note": "急需证明"}).status_code == 200
    again = lin.tries_to("urge", application, {})
    assert (again.status_code, again.json["code"]) == (409, "urged-already")
    assert again.json["next_on"] == "2026-09-30"
    (row,) = officer.queue(urged="true")
    assert (row["urged_times"], row["urged_on"]) == (1, "2026-09-29")
    desk.set("2026-10-01T02:00:00+00:00")  # a holiday: it counts for the 8th
    assert lin.tries_to("urge", application, {}).status_code == 200
    desk.set("2026-10-08T02:00:00+00:00")
    assert lin.tries_to("urge", application, {}).json["next_on"] == "2026-10-09"
    for day in ("10-09", "10-10", "10-12"):
        desk.set(f"2026-{day}T02:00:00+00:00")
        assert lin.tries_to("urge", application, {}).status_code == 200
    desk.set("2026-10-13T02:00:00+00:00")
    assert lin.tries_to("urge", application, {}).json["code"] == "urged-enough"
    assert desk.person().tries_to("urge", application, {}).status_code == 404
    officer.approves(application)
    assert lin.tries_to("urge", application, {}).json["code"] == "wrong-state"
    urged = [e for e in lin.history(application) if e["move"] == "urge"]
    assert (len(urged), urged[0]["note"]) == (5, "急需证明")
    assert application["submitted_at"] == lin.shows(application)["submitted_at"]


@pytest.mark.req("AL-10")
@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE flexible_employment_application SET state = 'approved', awaited = 1",
        "UPDATE review_opinion SET asked_of = asked_by",
        "UPDATE review_opinion SET answer = 'agree'",
        SAME_QUESTION,
        "INSERT INTO review_urging VALUES ('a', DATE '2026-10-08', 6, now())",
    ],
)
def test_the_database_keeps_the_rules_too(desk: Any, wrong: str) -> None:
    officer, (_, application) = desk.officer("440106"), filed(desk)
    officer.done(asks(officer, application, desk.officer("440106")))
    with pytest.raises(IntegrityError), desk.app.database.transaction() as db:
        db.execute(text(wrong))


@pytest.mark.req("AL-10", "ID-45")
def test_officers_are_known_as_identity_announces_them(desk: Any) -> None:
    officer, (_, application) = desk.officer("440106"), filed(desk)
    newcomer = type("Newcomer", (), {"claims": {"sub": "01890a5d-ac96-774b-bcce-b302099a80ff"}})
    assert hands(officer, application, newcomer).status_code == 422
    fact = {
        "officer_id": newcomer.claims["sub"],
        "region": "4401",
        "businesses": [BUSINESS],
        "roles": ["reviewer"],
        "is_active": True,
    }
    with desk.app.database.transaction() as db:
        envelope = Envelope(
            id="one",
            source="identity",
            type="identity.officer.changed.v1",
            stream="fact",
            subject=newcomer.claims["sub"],
            sequence=1,
            preceded_at=None,
            time=desk.clock.now(),
            data=fact,
        )
        SUBSCRIPTIONS.deliver(db, envelope, desk.clock.now())
    assert hands(officer, application, newcomer).status_code == 200
