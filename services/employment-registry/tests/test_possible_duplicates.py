"""疑似重复: who may be the applicant once more is shown beside them before anything is approved."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from employment_registry.person import likeness

QUEUE = "flexible-employment-reviews"
UNEMPLOYMENT = "employment-registry.unemployment"
ELSEWHERE = "440305001"


def files(desk: Any, person: Any, **form: Any) -> Any:
    return person.submits(person.opens(**(desk.form | form)))


def shown(officer: Any, application: Any, queue: str = QUEUE) -> Any:
    return officer.done(officer.get(f"{queue}/{application['id']}/possible-duplicates"))


def marks(officer: Any, application: Any, verdict: str, other: str, **how: Any) -> Any:
    body = {"verdict": verdict, "reason": how.pop("reason", "电话核实")}
    return officer.tries_to(f"possible-duplicates/{other}/mark", application, body, **how)


def twins(desk: Any) -> tuple[Any, Any]:
    """One name, one birthday, two documents."""
    return desk.person(name="陈一一"), desk.person(name="陈 一一")


@pytest.mark.req("AL-12", "ID-05")
def test_who_is_known_to_be_one_person_is_no_possible_duplicate(desk: Any) -> None:
    (first, again), officer = twins(desk), desk.officer("440106")
    officer.rejects(files(desk, first), reason="不符")
    asked = files(desk, again)
    assert len(shown(officer, asked)["items"]) == 1
    desk.merges(first, again)
    assert shown(officer, asked)["items"] == []
    officer.approves(asked)


@pytest.mark.req("AL-12")
def test_the_same_person_under_another_document_is_looked_at_before_the_decision(
    desk: Any,
) -> None:
    (first, again), officer = twins(desk), desk.officer("440106")
    before = files(desk, first)
    officer.approves(before)
    asked = files(desk, again)
    counted = desk.counts()
    refused = officer.tries_to("approve", asked, {})
    assert (refused.status_code, refused.json["code"]) == (409, "duplicates-unseen")
    assert refused.json["unseen"] == 1
    assert desk.counts() == counted | {"keys": desk.counts()["keys"]}
    assert officer.shows(asked)["state"] == "submitted"

    page = shown(officer, asked)
    assert page["own"]["person"]["document_number"] == desk.masked(again)
    assert [each["id"] for each in page["own"]["applications"]] == [asked["id"]]
    (item,) = page["items"]
    assert (item["by"], item["verdict"], item["party"]["elsewhere"]) == (["likeness"], None, [])
    assert item["party"]["person"] == {
        "name": "陈**",
        "document_kind": "resident-card",
        "document_number": desk.masked(first),
        "born_on": "1990-**-**",
        "sex": "male",
        "contact_phone": f"{first.phone[:3]}****{first.phone[-4:]}",
    }
    (filing,) = item["party"]["applications"]
    assert (filing["matter"], filing["state"]) == ("flexible-employment", "approved")
    assert [each["validity"] for each in item["party"]["certificates"]] == ["valid"]

    desk.clock.advance(timedelta(minutes=1))
    marked = officer.done(marks(officer, asked, "different", item["other"], reason="指纹不同"))
    assert marked["version"] == asked["version"] + 1
    said = shown(officer, asked)["items"][0]
    assert (said["verdict"], said["reason"]) == ("different", "指纹不同")
    assert said["marked_by"] == officer.claims["sub"]
    assert officer.approves(asked)["state"] == "approved"
    story = officer.get(f"{QUEUE}/{asked['id']}/history").json
    assert [e["move"] for e in story] == ["submit", "mark-duplicates", "approve"]
    assert story[1]["note"] == f"different {item['other']}：指纹不同"
    assert [e["move"] for e in again.history(asked)] == ["submit", "approve"]
    assert desk.history_is_whole()


@pytest.mark.req("AL-12", "ER-07")
def test_who_is_the_same_person_is_not_registered_twice(desk: Any) -> None:
    (first, again), officer = twins(desk), desk.officer("440106")
    before = files(desk, first)
    officer.approves(before)
    asked = files(desk, again)
    other = shown(officer, asked)["items"][0]["other"]
    officer.done(marks(officer, asked, "same", other))
    refused = officer.tries_to("approve", asked, {})
    assert (refused.status_code, refused.json["code"]) == (409, "held-by-duplicate")
    first.cancels(before, reason="以新证件重新登记")
    assert officer.approves(asked)["state"] == "approved"
    change = again.submits(again.opens("change", address="体育西路2号"))
    officer.done(marks(officer, change, "same", shown(officer, change)["items"][0]["other"]))
    assert officer.approves(change)["state"] == "approved"  # it gives nothing new


@pytest.mark.req("AL-12", "ER-06")
def test_a_replacement_gives_the_same_person_nothing_new(desk: Any) -> None:
    (first, again), officer = twins(desk), desk.officer("440106")
    officer.approves(files(desk, first))
    clerk = desk.officer("440106", business="employment-registry.certificate")
    asked = files(desk, again)
    other = shown(officer, asked)["items"][0]["other"]
    officer.done(marks(officer, asked, "different", other))
    officer.approves(asked)
    wish = {"kind": "replacement", "certificate": {"cause": "lost", "service_place": "440106003"}}
    draft = again.done(again.post("certificate-applications", wish), 201)
    again.done(again.post(f"certificate-applications/{draft['id']}/submit", {}))
    path = f"certificate-reviews/{draft['id']}"
    assert clerk.post(f"{path}/approve", {}).json["code"] == "duplicates-unseen"
    item = shown(clerk, draft, "certificate-reviews")["items"][0]
    assert item["other"] != other  # a name on one page says nothing on another
    body = {"verdict": "same", "reason": "同一人"}
    clerk.done(clerk.post(f"{path}/possible-duplicates/{item['other']}/mark", body))
    assert clerk.done(clerk.post(f"{path}/approve", {}))["state"] == "approved"


@pytest.mark.req("AL-12", "AL-02")
def test_what_lies_elsewhere_is_only_said_to_be_there(desk: Any) -> None:
    first, again = twins(desk)
    there, here = desk.officer("440305"), desk.officer("440106")
    before = files(desk, first, work_place=ELSEWHERE)
    there.approves(before)
    asked = files(desk, again)
    item = shown(here, asked)["items"][0]
    nothing = {"person": None, "applications": [], "certificates": [], "elsewhere": ["440305"]}
    assert item["party"] == nothing
    told = json.dumps(shown(here, asked))
    for secret in (before["id"], before["number"], desk.masked(first)):
        assert secret not in told
    province = shown(desk.officer("44"), asked)["items"][0]
    assert province["party"]["applications"][0]["id"] == before["id"]
    assert province["party"]["elsewhere"] == []
    # Which officer does not see the application sees none of its duplicates, and marks none.
    assert there.get(f"{QUEUE}/{asked['id']}/possible-duplicates").status_code == 404
    assert marks(there, asked, "different", item["other"]).status_code == 404


@pytest.mark.req("AL-12")
@pytest.mark.parametrize(("others", "asked_about"), [(2, 0), (3, 3)])
def test_a_telephone_of_many_persons_is_asked_about_and_a_familys_is_not(
    desk: Any, others: int, asked_about: int
) -> None:
    officer = desk.officer("440106")
    for _ in range(others):
        files(desk, desk.person(phone="13900000000"))
    files(desk, desk.person(phone="13900000000"), contact_phone="13911111111")
    asked = desk.person(phone="13900000000").files_unemployment()
    clerk = desk.officer("440106", business=UNEMPLOYMENT)
    items = shown(clerk, asked, "unemployment-reviews")["items"]
    assert [each["by"] for each in items] == [["phone"]] * asked_about
    path = f"unemployment-reviews/{asked['id']}"
    answer = clerk.post(f"{path}/approve", {})
    assert answer.status_code == (409 if asked_about else 200)
    body = {"verdict": "different", "reason": "同村联系人"}
    for left, each in zip(range(len(items), 0, -1), items, strict=True):
        assert clerk.post(f"{path}/approve", {}).json["unseen"] == left
        clerk.done(clerk.post(f"{path}/possible-duplicates/{each['other']}/mark", body))
    if asked_about:
        assert clerk.post(f"{path}/approve", {}).status_code == 200
    assert officer.queue()  # theirs are asked about too


@pytest.mark.req("AL-12", "AL-10")
def test_a_batch_tells_it_of_the_row(desk: Any) -> None:
    (first, again), officer = twins(desk), desk.officer("440106")
    files(desk, first)
    asked, plain = files(desk, again), files(desk, desk.person())
    items = [{"id": each["id"]} for each in (asked, plain)]
    answer = officer.done(officer.post(f"{QUEUE}/batch", {"move": "approve", "items": items}))
    told = {each["id"]: each["problem"] for each in answer["results"]}
    assert told[asked["id"]]["code"] == "duplicates-unseen"
    assert (told[plain["id"]] or {}).get("code") in (None, "second-officer-needed")
    assert officer.shows(asked)["state"] == "submitted"


@pytest.mark.req("AL-12")
def test_only_what_is_there_is_marked_and_only_by_who_may_decide(desk: Any) -> None:
    (first, again), officer = twins(desk), desk.officer("440106")
    files(desk, first)
    asked = files(desk, again)
    item = shown(officer, asked)["items"][0]
    gone = marks(officer, asked, "different", "f" * 32)
    assert (gone.status_code, gone.json["code"]) == (404, "duplicate-not-found")
    assert desk.rows("review_mark") == []
    officer.claims_it(asked)
    refused = marks(desk.officer("440106"), asked, "different", item["other"])
    assert refused.json["code"] == "claimed-by-other"
    stale = marks(officer, asked, "different", item["other"], version=99)
    assert stale.json["code"] == "changed-meanwhile"
    empty = marks(officer, asked, "perhaps", item["other"], reason=" ")
    assert {error["field"] for error in empty.json["errors"]} == {"/reason", "/verdict"}
    officer.rejects(asked, reason="不符")
    late = marks(officer, asked, "different", item["other"])
    assert late.json["code"] == "wrong-state"


@pytest.mark.req("AL-12", "UNE-04")
def test_a_draft_is_nobodys_duplicate(desk: Any) -> None:
    (first, again), officer = twins(desk), desk.officer("440106")
    first.opens(**desk.form)
    assert shown(officer, files(desk, again))["items"] == []


@pytest.mark.req("AL-12")
def test_what_was_filed_before_there_were_indexes_gets_its_own(desk: Any) -> None:
    (first, again), officer = twins(desk), desk.officer("440106")
    before = files(desk, first)
    erase = "UPDATE flexible_employment_application SET likeness_index = NULL, phone_index = NULL"
    with desk.app.database.transaction() as db:
        db.execute(text(erase))
    asked = files(desk, again)
    assert shown(officer, asked)["items"] == []
    desk.job("index-likeness")
    assert len(shown(officer, asked)["items"]) == 1
    assert officer.shows(before)["version"] == before["version"]


@pytest.mark.req("AL-12", "AL-04")
def test_the_indexes_say_nothing(desk: Any) -> None:
    asked = files(desk, desk.person(name="陈一一", phone="13900000000"))
    (row,) = desk.rows("flexible_employment_application")
    assert len(row.likeness_index) == len(row.phone_index) == 16
    assert row.likeness_index != row.phone_index
    assert "陈一一" not in str(row)
    assert "13900000000" not in str(row)
    assert set(asked) & {"likeness_index", "phone_index"} == set()


@pytest.mark.req("AL-12")
@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("欧阳 一", True),
        ("欧阳一", True),
        ("歐陽一", False),  # another character; a person decides
        ("阿依·古丽", False),
    ],
)
def test_blanks_width_case_and_dots_do_not_tell_names_apart(name: str, same: bool) -> None:
    day = date(1990, 1, 1)
    assert (likeness(name, day, "male") == likeness("欧阳一", day, "male")) is same
    dots = {likeness(f"阿依{dot}古丽", day, "female") for dot in "·•・."}
    assert len(dots | {likeness("阿依古丽", day, "female")}) == 1
    assert likeness("Ｌｉ Ming", day, "male") == likeness("LI MING", day, "male")
    assert likeness("李一", day, "male") != likeness("李一", day, "female")
    assert likeness("李一", day, "male") != likeness("李一", date(1990, 1, 2), "male")
