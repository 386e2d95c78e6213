"""The officer's queue: colours in working days, who holds what, filters, order, the start page."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

QUEUE = "flexible-employment-reviews"
COLOURS = ["green", "green", "yellow", "yellow", "red", "red", "overdue"]
DAYS = ["09-29", "09-30", "10-08", "10-09", "10-10", "10-12", "10-13"]


@pytest.mark.req("AL-02", "AL-09")
def test_the_colour_of_the_due_date_counts_working_days(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106")
    filed = lin.submits(lin.opens(**desk.form))  # due 12 October; 1 to 7 are holidays, 10 is not
    assert filed["due_on"] == "2026-10-12"
    told = []
    for day in DAYS:
        desk.set(f"2026-{day}T02:00:00+00:00")
        (row,) = officer.queue()
        told.append(row["due_colour"])
        assert [r["id"] for r in officer.queue(due=row["due_colour"])] == [filed["id"]]
        others = {"green", "yellow", "red", "overdue"} - {row["due_colour"]}
        assert all(officer.queue(due=other) == [] for other in others)
        assert bool(officer.queue(due="soon")) is (row["due_colour"] in ("yellow", "red"))
    assert told == COLOURS
    officer.returns(filed, reason="请补充")
    assert officer.shows(filed)["due_colour"] is None
    assert officer.queue(state="returned", due="overdue") == []


@pytest.mark.req("AL-10", "AL-02")
def test_who_holds_it_is_a_filter_and_a_claim_that_ran_out_is_nobodys(desk: Any) -> None:
    first, second = desk.officer("440106"), desk.officer("440106")
    filed = [lin.submits(lin.opens(**desk.form)) for lin in (desk.person(), desk.person())]
    first.claims_it(filed[0])

    def ids(officer: Any, **filters: str) -> list[str]:
        return [row["id"] for row in officer.queue(**filters)]

    mine, free = [filed[0]["id"]], [filed[1]["id"]]
    assert ids(first, held_by="me") == mine
    assert ids(first, held_by="others") == []
    assert ids(second, held_by="others") == mine
    assert ids(second, held_by="nobody") == ids(first, held_by="nobody") == free
    assert ids(second, officer_id=first.claims["sub"]) == mine
    desk.clock.advance(minutes=15)
    assert ids(first, held_by="me") == ids(second, officer_id=first.claims["sub"]) == []
    assert sorted(ids(first, held_by="nobody")) == sorted(mine + free)
    assert [row["claimed_by"] for row in first.queue()] == [None, None]
    assert first.shows(filed[0])["claimed_until"] is None


@pytest.mark.req("AL-06", "AL-02")
def test_region_and_order_are_the_officers_choice(desk: Any) -> None:
    officer, people = desk.officer("4401"), [desk.person() for _ in range(3)]
    filed = []
    for lin, place in zip(people, ("440106003", "440105001", "440106004"), strict=True):
        filed.append(lin.submits(lin.opens(**desk.form | {"work_place": place})))
        desk.clock.advance(minutes=1)
    made = [application["id"] for application in filed]
    assert [r["id"] for r in officer.queue(order="oldest")] == made
    assert [r["id"] for r in officer.queue(order="newest")] == made[::-1]
    assert [r["id"] for r in officer.queue(region="440105")] == [made[1]]
    assert officer.queue(region="4403") == []  # outside of the own region nothing is found
    assert officer.get(QUEUE, region="广州").status_code == 422
    assert officer.get(QUEUE, due="purple").status_code == 422


@pytest.mark.req("AL-02")
def test_the_start_page_counts_what_waits_in_each_business(desk: Any) -> None:
    both = desk.officer("4401")
    both.claims["businesses"] = [
        "employment-registry.flexible-employment",
        "employment-registry.unemployment",
    ]
    filed = [lin.submits(lin.opens(**desk.form)) for lin in (desk.person(), desk.person())]
    both.claims_it(filed[0])
    desk.officer("440106").rejects(filed[1], reason="不符")
    lin = desk.person()
    desk.set("2026-10-13T02:00:00+00:00")
    lin.submits(lin.opens(**desk.form))
    first, second = both.done(both.get("review-counts"))
    assert first == {
        "business": "employment-registry.flexible-employment",
        "waiting": 2,
        "overdue": 1,
        "red": 0,
        "yellow": 0,
        "green": 1,
        "mine": 0,  # the claim has run out
        "free": 2,
    }
    assert (second["business"], second["waiting"]) == ("employment-registry.unemployment", 0)
    elsewhere = desk.officer("4403").get("review-counts").json
    assert [line["waiting"] for line in elsewhere] == [0]


@pytest.mark.req("AL-04")
def test_a_list_opens_nothing_that_it_does_not_show(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106")
    filed = lin.submits(lin.opens(**desk.form | {"contact_phone": lin.phone}))
    shown = officer.queue(), lin.lists()
    with desk.app.database.transaction() as db:
        spoil = "UPDATE flexible_employment_application SET contact_phone = 'sealed by nobody'"
        db.execute(text(spoil))
    assert (officer.queue(), lin.lists()) == shown
    assert lin.get(f"flexible-employment-registrations/{filed['id']}").status_code == 500
