"""What was filed and decided is counted per region and month, and so are the reasons."""

from __future__ import annotations

from typing import Any

import pytest

QUEUE = "flexible-employment-reviews"
SPAN = {"from": "2026-09", "to": "2026-10"}


def decided(desk: Any, *, place: str, filed: str, on: str, move: str, **said: Any) -> None:
    """One application, filed and decided on two days."""
    desk.set(f"2026-{filed}T02:00:00+00:00")
    lin = desk.person()
    application = lin.submits(lin.opens(**desk.form | {"work_place": place}))
    desk.set(f"2026-{on}T02:00:00+00:00")
    desk.officer("44").done(desk.officer("44").tries_to(move, application, said))


def a_season(desk: Any) -> None:
    tianhe, yuexiu = "440106003", "440104001"
    decided(desk, place=tianhe, filed="09-21", on="09-22", move="approve")
    decided(desk, place=tianhe, filed="09-21", on="09-24", move="reject", reason_code="not-working")
    decided(desk, place=tianhe, filed="09-29", on="10-13", move="reject", reason_code="not-working")
    decided(desk, place=yuexiu, filed="09-29", on="09-30", move="return", reason="请补充")
    decided(desk, place="440305001", filed="09-29", on="09-30", move="approve")


@pytest.mark.req("AL-06", "AL-02")
def test_an_office_counts_what_lies_below_it_by_month(desk: Any) -> None:
    a_season(desk)
    lines = desk.officer("4401").get(f"{QUEUE}/statistics", **SPAN).json
    names = ("filed", "approved", "returned", "rejected", "overdue", "median_working_days")
    counted = {(line["month"], line["region"]): [line[n] for n in names] for line in lines}
    # From 21 September (Monday) 1 and 3 working days; due 12 October, so the 13th is late.
    assert counted == {
        ("2026-09", "440104"): [1, 0, 1, 0, 0, None],
        ("2026-09", "440106"): [3, 1, 0, 1, 0, 2.0],
        ("2026-10", "440106"): [0, 0, 0, 1, 1, 6.0],
    }
    assert {line["region_name"] for line in lines} == {"越秀区", "天河区"}
    county = desk.officer("440106").get(f"{QUEUE}/statistics", **SPAN).json
    assert {line["region"] for line in county} == {"440106003"}
    province = desk.officer("44").get(f"{QUEUE}/statistics", **SPAN).json
    assert {line["region"] for line in province} == {"4401", "4403"}
    assert desk.officer("4413").get(f"{QUEUE}/statistics", **SPAN).json == []


@pytest.mark.req("AL-06", "UNE-07", "AL-02")
def test_a_month_that_is_over_changes_no_more(desk: Any) -> None:
    a_season(desk)
    business, queue = "employment-registry.unemployment", "unemployment-reviews"
    desk.set("2026-09-28T02:00:00+00:00")
    (lin, wang), officer = (desk.person(), desk.person()), desk.officer("440106", business=business)
    filed = [one.files_unemployment()["id"] for one in (lin, wang)]
    officer.done(officer.post(f"{queue}/{filed[0]}/approve", {}))
    officer.done(officer.post(f"{queue}/{filed[1]}/return", {"reason": "请补充"}))
    before = officer.get(f"{queue}/statistics", **SPAN).json
    assert [(line["month"], line["filed"], line["approved"]) for line in before] == [
        ("2026-09", 2, 1)
    ]
    desk.set("2026-10-09T02:00:00+00:00")
    place = {"service_place": "440105001"}
    lin.done(lin.post("unemployment-records/current/change-service-place", place))
    wang.done(wang.post(f"unemployment-registrations/{filed[1]}/submit", {}))
    after = officer.get(f"{queue}/statistics", **SPAN).json
    assert after[:1] == before
    assert [(line["month"], line["filed"]) for line in after[1:]] == [("2026-10", 1)]
    new = desk.officer("440105", business=business)
    assert new.get(f"{queue}/statistics", **SPAN).json == []
    wang.done(wang.post(f"unemployment-registrations/{filed[1]}/withdraw", {}))
    assert officer.get(f"{queue}/statistics", **SPAN).json == after


@pytest.mark.req("AL-06", "AL-08")
@pytest.mark.parametrize("month", ["20２6-09", "2026-13", "2026-9", "1999-12", ""])
def test_what_is_no_month_is_told(desk: Any, month: str) -> None:
    refused = desk.officer("4401").get(f"{QUEUE}/statistics", **{"from": month})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "/from")


@pytest.mark.req("AL-06")
def test_the_table_opens_in_a_spreadsheet(desk: Any) -> None:
    a_season(desk)
    answer = desk.officer("4401").get(f"{QUEUE}/statistics.csv", **SPAN)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = answer.get_data().decode("utf-8-sig").splitlines()
    assert rows[0].startswith("行政区划,名称,月份,申请件数")
    assert rows[1] == "440104,越秀区,2026-09,1,0,1,0,0,"
    assert len(rows) == 4


@pytest.mark.req("AL-02")
def test_reasons_are_counted_where_the_officer_is(desk: Any) -> None:
    a_season(desk)
    found = desk.officer("4401").get(f"{QUEUE}/reason-statistics", **SPAN).json
    assert [(each["move"], each["code"], each["count"]) for each in found] == [
        ("reject", "not-working", 2),
        ("return", None, 1),
    ]
    assert found[0]["text"].startswith("经核实")
    assert desk.officer("4403").get(f"{QUEUE}/reason-statistics", **SPAN).json == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-10", "to": "2026-09"}, "/to"),
        ({"from": "2020-01", "to": "2026-09"}, "/from"),
        ({"from": "2026-13"}, "/from"),
        ({"month": "2026-09"}, "/month"),
    ],
)
def test_months_are_whole_and_few(desk: Any, query: dict[str, str], field: str) -> None:
    refused = desk.officer("44").get(f"{QUEUE}/statistics", **query)
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, field)
    assert desk.officer("44").get(f"{QUEUE}/statistics").json == []  # the last twelve months
