"""办事指南: read by anyone, checked for a person by the very rules that open the form."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from employment_registry.guides import rules

OPENS: dict[str, tuple[str, dict[str, Any]]] = {
    "flexible-employment": ("flexible-employment-registrations", {"kind": "registration"}),
    "flexible-employment-change": ("flexible-employment-registrations", {"kind": "change"}),
    "unemployment": ("unemployment-registrations", {}),
    "service-place": (
        "unemployment-records/current/change-service-place",
        {"service_place": "440106009"},
    ),
    "certificate": ("certificate-applications", {"kind": "first", "certificate": {}}),
    "certificate-replacement": (
        "certificate-applications",
        {"kind": "replacement", "certificate": {}},
    ),
}
CANCELLATION = "flexible-employment-cancellation"  # opens no form
OBJECTION = "ending-objection"  # neither does this
CONTENT = (
    "introduction",
    "audience",
    "stated_conditions",
    "materials",
    "steps",
    "result",
    "notes",
    "remedies",
    "fee",
    "legal_bases",
)


def unemployed(desk: Any, lin: Any) -> None:
    """Registered as unemployed."""
    desk.unemployed(lin)


def employed(desk: Any, lin: Any) -> None:
    """Registered as flexibly employed."""
    desk.officer("440106").approves(lin.submits(lin.opens(**desk.form)))


def moved(desk: Any, lin: Any) -> None:
    """Unemployed, and chose another office today."""
    unemployed(desk, lin)
    lin.done(lin.post(OPENS["service-place"][0], {"service_place": "440106007"}))


def with_open_ones(desk: Any, lin: Any) -> None:
    """Employed and certified, with a draft of each matter."""
    employed(desk, lin)
    for item in ("flexible-employment-change", "certificate-replacement"):
        path, body = OPENS[item]
        lin.done(lin.post(path, body), 201)


def ended(desk: Any, lin: Any) -> None:
    """Was employed, is not any more."""
    filed = lin.submits(lin.opens(**desk.form))
    desk.officer("440106").approves(filed)
    lin.cancels(filed, reason="停业")


@pytest.mark.req("ER-10", "PRT-06")
def test_every_business_has_a_guide_that_anyone_reads(desk: Any) -> None:
    visitor = desk.visitor()
    items = [line["item"] for line in visitor.done(visitor.get("guides"))["items"]]
    assert items == list(rules.BUSINESSES)
    assert set(items) == {*OPENS, CANCELLATION, OBJECTION}
    for item in items:
        guide = visitor.done(visitor.get(f"guides/{item}", region="440106003"))
        assert guide["version"] == (1 if item == OBJECTION else 2)
        assert all(
            guide[part]
            for part in (
                "introduction",
                "conditions",
                "materials",
                "steps",
                "legal_bases",
                "remedies",
            )
        )
        assert all(each["code"] for each in guide["conditions"] + guide["materials"])
        assert guide["contact"]["name"] == "广东省广州市天河区车陂街道人力资源和社会保障部门"
        assert guide["contact"]["phone"] == "12333"
        assert "{" not in "".join(each["text"] for each in guide["conditions"])  # all filled in
    limit = visitor.get("guides/unemployment").json["time_limit"]
    assert limit == {
        "working_days": 5,
        "text": "自提交之日（须向有关部门核验的，自核验完成之日）起5个工作日内；补正期间不计入",
    }
    assert visitor.get("guides/service-place").json["time_limit"]["working_days"] is None
    assert visitor.get("guides/marriage").status_code == 404
    assert visitor.get("guides/unemployment", region="449999").json["code"] == "region-unknown"


@pytest.mark.req("ER-10")
def test_a_guide_that_did_not_change_is_not_sent_again(desk: Any) -> None:
    visitor = desk.visitor()
    first = visitor.get("guides/unemployment")
    assert first.headers["Cache-Control"] == "public, max-age=60"
    tag = {"If-None-Match": first.headers["ETag"]}
    again = visitor.client.call("GET", "guides/unemployment", None, headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    other = visitor.client.call("GET", "guides/service-place", None, headers=tag)
    assert other.status_code == 200


@pytest.mark.req("ER-10", "PRT-06")
def test_what_opens_a_form_names_its_guide_also_when_it_refuses(desk: Any) -> None:
    lin = desk.person(born="2015-01-01")
    refused = lin.post("flexible-employment-registrations", {"kind": "registration"})
    assert refused.json["code"] == "not-of-working-age"
    for answer in (refused, lin.get("flexible-employment-registrations")):
        assert answer.headers.getlist("Link")[0] == '</guides/flexible-employment>; rel="help"'
    answer = lin.get("unemployment-records/current")
    assert answer.headers["Link"] == '</guides/service-place>; rel="help"'


@pytest.mark.req("ER-10", "EMP-10", "CRT-04", "UNE-06", "UNE-08")
@pytest.mark.parametrize(
    ("born", "arrange"),
    [
        *(
            ("1990-01-01", each)
            for each in (None, employed, unemployed, moved, with_open_ones, ended)
        ),
        *((born, None) for born in ("2010-09-29", "2010-09-30", "1966-04-30")),
    ],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_check_and_form_never_disagree(
    desk: Any, born: str, arrange: Callable[[Any, Any], None] | None
) -> None:
    lin = desk.person(born=born)
    if arrange is not None:
        arrange(desk, lin)
    for who in (lin, desk.person(born=born, number=lin.number)):  # a second account of the person
        for item, (path, body) in OPENS.items():
            told = who.done(who.get(f"guide-checks/{item}"))
            unmet = [each for each in told["conditions"] if not each["met"]]
            assert told["may_open"] is not bool(unmet)
            opened = who.post(path, body)
            if told["may_open"]:
                assert opened.status_code in (200, 201), (item, opened.text)
                if opened.status_code == 201:
                    who.client.delete(f"{path}/{opened.json['id']}")
                continue
            first = unmet[0]
            refused = opened.json
            assert (first["refusal"], first["message"]) == (refused["code"], refused["detail"])
            assert first["next_step"]
            for name in ("application_id", "next_date"):
                assert first.get(name) == refused.get(name), item


@pytest.mark.req("ER-10", "EMP-08", "EMP-09")
def test_what_is_told_of_a_cancellation_is_what_it_says(desk: Any) -> None:
    lin = desk.person()

    def refusal() -> Any:
        told = lin.done(lin.get(f"guide-checks/{CANCELLATION}"))
        (condition,) = told["conditions"]
        assert told["may_open"] is condition["met"]
        return None if condition["met"] else (condition["refusal"], condition["message"])

    def refused(application: Any) -> Any:
        answer = lin.tries_to("cancel", application, {"reason": "停业"})
        return answer.json["code"], answer.json["detail"]

    filed = lin.submits(lin.opens(**desk.form))
    assert refusal() == refused(filed)
    desk.officer("440106").approves(filed)
    assert refusal() is None
    guide = desk.visitor().get(f"guides/{CANCELLATION}").json
    assert guide["time_limit"]["text"] == "即时办结"
    answer = lin.tries_to("cancel", filed, {"reason": "停业"})
    assert answer.status_code == 200
    assert f'</guides/{CANCELLATION}>; rel="help"' in answer.headers.getlist("Link")
    assert refusal() == refused(filed)


@pytest.mark.req("ER-10")
def test_the_guide_shows_what_the_check_checks(desk: Any) -> None:
    lin = desk.person()
    for item in (*OPENS, CANCELLATION, OBJECTION):
        guide = lin.done(desk.visitor().get(f"guides/{item}"))
        shown = [(c["code"], c["text"]) for c in guide["conditions"] if c["checked"]]
        checked = lin.done(lin.get(f"guide-checks/{item}"))["conditions"]
        assert shown == [(c["code"], c["text"]) for c in checked]
    with desk.identity_down():
        answer = lin.get("guide-checks/unemployment")
        assert (answer.status_code, answer.json["retryable"]) == (503, True)


@pytest.mark.req("ER-10")
def test_a_new_version_is_published_and_the_old_one_stays(desk: Any) -> None:
    lin, province = desk.person(), desk.admin()
    filed = lin.submits(lin.opens(**desk.form))
    assert filed["guide_version"] == 2
    path = "guides/flexible-employment/versions"
    old = desk.visitor().get("guides/flexible-employment").json
    content = {name: old[name] for name in CONTENT}
    stated = [
        *old["stated_conditions"],
        {"code": "old-enough", "text": "年满{youngest_years}周岁。"},
    ]
    content |= {"stated_conditions": stated, "contacts": []}
    office = {"region": "4401", "name": "广州市就业中心", "phone": "020-12333"}
    content |= {"contacts": [office]}
    body = {"replaces": 2, "title": "灵活就业登记（新）", "content": content}
    assert desk.admin("4401").post(path, body).json["code"] == "province-admin-required"
    wrong = {"result": "{age}岁", "contacts": [office | {"region": "4499"}]}
    refused = province.post(path, body | {"content": content | wrong}).json
    assert {each["field"] for each in refused["errors"]} == {
        "/content/result",
        "/content/contacts/0/region",
    }
    assert province.done(province.post(path, body), 201)["version"] == 3
    assert province.post(path, body).json["code"] == "changed-meanwhile"
    now = desk.visitor().get("guides/flexible-employment", region="440106003").json
    assert (now["version"], now["title"]) == (3, "灵活就业登记（新）")
    assert now["contact"]["name"] == "广州市就业中心"
    assert now["stated_conditions"][-1] == {"code": "old-enough", "text": "年满16周岁。"}
    before = desk.visitor().get("guides/flexible-employment", version="2").json
    assert before["title"] == old["title"]
    assert (before["is_newest"], before["conditions"]) == (False, old["conditions"])
    assert lin.shows(filed)["guide_version"] == 2  # as it was filed
    listed = desk.visitor().get(path).json["items"]
    assert [each["version"] for each in listed] == [3, 2, 1]
    assert desk.events()[-1] == "employment-registry.guides.published.v1"
    assert desk.history_is_whole()


@pytest.mark.req("ER-10", "AL-07")
def test_of_forty_new_versions_one_is_the_next(desk: Any) -> None:
    guide = desk.visitor().get("guides/service-place").json
    content = {name: guide[name] for name in CONTENT} | {"contacts": []}
    body = {"replaces": 2, "title": "变更服务地", "content": content}
    admins = [desk.admin() for _ in range(40)]
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda a: a.post("guides/service-place/versions", body), admins))
    assert sum(a.status_code == 201 for a in answers) == 1
    with desk.app.database.reading() as db:
        rows = db.execute(text("SELECT version FROM guide_version WHERE item = 'service-place'"))
        assert sorted(rows.scalars()) == [1, 2, 3]


@pytest.mark.req("ER-10", "PRT-06")
def test_the_page_of_a_guide_needs_no_script(desk: Any) -> None:
    client = desk.app.test_client()
    for item in OPENS:
        page = client.get(f"/guides/{item}?region=4401&region=440106&region=")
        html = page.get_data(as_text=True)
        assert page.status_code == 200
        assert "<script" not in html
        assert "广东省广州市天河区人力资源和社会保障部门" in html
        assert 'value="440106" selected' in html
        assert re.search(r'<option value="440106003">车陂街道', html)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
    other_city = client.get("/guides/certificate?region=4403&region=440106&region=440106003")
    assert "广东省深圳市人力资源和社会保障部门" in other_city.get_data(as_text=True)
    assert "就业创业证申领" in client.get("/guides").get_data(as_text=True)
    missing = client.get("/guides/<b>")
    assert missing.status_code == 404
    assert "<b>" not in missing.get_data(as_text=True)


@pytest.mark.req("ER-10", "AL-02")
def test_a_ready_reason_leads_to_what_it_rests_on_in_the_guide(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106")
    filed = lin.submits(lin.opens(**desk.form))
    assert lin.shows(filed)["decision_rests_on"] is None
    library = officer.done(officer.get("flexible-employment-reviews/reasons"))
    chosen = next(each for each in library if each["code"] == "occupation-unclear")
    officer.returns(filed, reason_code="occupation-unclear", reason="请写明平台名称。")
    told = lin.shows(filed)
    assert told["decision_reason"] == f"{chosen['text']}请写明平台名称。"
    assert told["decision_rests_on"] == chosen["rests_on"]
    assert told["decision_rests_on"]["text"] == "就业信息"
    path, _, anchor = told["decision_rests_on"]["link"].partition("#")
    page = desk.app.test_client().get(path).get_data(as_text=True)
    assert f'<li id="{anchor}"><strong>就业信息</strong>' in page
    again = lin.submits(lin.saves(told, occupation="外卖配送员"))
    officer.rejects(again, reason="不符")
    assert lin.shows(again)["decision_rests_on"] is None, "the officer's own words"


@pytest.mark.req("ER-10")
@pytest.mark.parametrize("item", [item for item, each in rules.BUSINESSES.items() if each.reasons])
def test_every_ready_reason_rests_on_something_in_a_guide_of_its_matter(
    desk: Any, item: str
) -> None:
    business = item
    for end in ("-change", "-replacement", "-objection"):
        business = business.removesuffix(end)
    officer = desk.officer("440106", business=f"employment-registry.{business}")
    for each in officer.done(officer.get(f"{business}-reviews/reasons")):
        link = each["rests_on"]["link"]
        path, _, anchor = link.partition("#")
        page = desk.app.test_client().get(path).get_data(as_text=True)
        assert f'id="{anchor}"' in page, each["code"]


@pytest.mark.req("ER-10")
def test_a_new_version_keeps_what_ready_reasons_rest_on(desk: Any) -> None:
    lin, province = desk.person(), desk.admin()
    filed = lin.submits(lin.opens(**desk.form))
    path = "guides/flexible-employment"
    old = desk.visitor().get(path).json
    content = {name: old[name] for name in CONTENT} | {"contacts": []}
    phone = next(each for each in old["materials"] if each["code"] == "phone")
    content["materials"] = [phone, phone]
    body = {"replaces": 2, "title": old["title"], "content": content}
    refused = province.post(f"{path}/versions", body).json
    assert [(each["field"], each["code"]) for each in refused["errors"]] == [
        ("/content/materials", "code-twice"),
        ("/content/materials", "reason-rests-on"),
    ]
    renamed = [
        each | {"name": "新名称"} if each["code"] == "employment" else each
        for each in old["materials"]
    ]
    body["content"]["materials"] = renamed
    province.done(province.post(f"{path}/versions", body), 201)
    desk.officer("440106").returns(filed, reason_code="occupation-unclear")
    told = lin.shows(filed)["decision_rests_on"]
    assert told["text"] == "就业信息", "as the guide was when it was filed"
    assert told["link"] == "/guides/flexible-employment?version=2#material-employment"
    client = desk.app.test_client()
    page = client.get("/guides/flexible-employment?version=2").get_data(as_text=True)
    assert "就业信息" in page
    assert "查看现行版本" in page
    for wrong in ("0", "99", "9" * 30):
        assert client.get(f"/guides/flexible-employment?version={wrong}").status_code == 404
    none = desk.visitor().get("guides/flexible-employment", version="99999999999")
    assert (none.status_code, none.json["code"]) == (404, "guide-not-found")
    assert client.get("/guides/flexible-employment?version=x").status_code == 200


@pytest.mark.req("ER-10")
def test_the_first_versions_are_read_as_they_were(desk: Any) -> None:
    for item in (*OPENS, CANCELLATION):
        first = desk.visitor().get(f"guides/{item}", version="1").json
        assert (first["is_newest"], first["notes"], first["remedies"]) == (False, [], [])
        assert {each["code"] for each in first["materials"]} == {None}
        page = desk.app.test_client().get(f"/guides/{item}?version=1")
        assert "救济途径" not in page.get_data(as_text=True)
