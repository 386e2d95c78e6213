"""导出: a queue as a spreadsheet, asked for with a purpose, masked, marked, on record."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from employment_registry.exporting import exports_of
from employment_registry.flexible_employment.rules import WORKFLOW
from servicekit.exports.building import Builder
from servicekit.testing.waiting import until

PATH = "flexible-employment-reviews/exports"
BUSINESS = WORKFLOW.name
PURPOSE = "第三季度登记质量稽核"
ZIP = b"PK\x03\x04"


def wish(**how: Any) -> dict[str, Any]:
    return {"purpose": PURPOSE} | how


def asks(officer: Any, **how: Any) -> Any:
    return officer.done(officer.post(PATH, wish(**how)), 202)


def fetched(officer: Any, export: Any) -> Any:
    return officer.get(f"{PATH}/{export['id']}/file")


def made(desk: Any, officer: Any, **how: Any) -> Any:
    """Asked for and built: the export and its book, read by another library than wrote it."""
    export = asks(officer, **how)
    desk.job("build-exports")
    answer = fetched(officer, export)
    assert answer.status_code == 200, answer.text
    return shown(officer, export), load_workbook(io.BytesIO(answer.data), read_only=False)


def shown(officer: Any, export: Any) -> Any:
    return officer.done(officer.get(f"{PATH}/{export['id']}"))


def lines(book: Any) -> list[dict[str, Any]]:
    titles, *rows = book.worksheets[1].iter_rows(values_only=True)
    return [dict(zip(titles, row, strict=True)) for row in rows]


def filed(desk: Any, **form: Any) -> tuple[Any, Any]:
    lin = desk.person()
    return lin, lin.submits(lin.opens(**(desk.form | form)))


@pytest.mark.req("AL-06", "AL-04")
def test_a_list_is_exported_as_it_stands_on_the_screen(desk: Any) -> None:
    officer = desk.officer("440106")
    people = []
    for day in range(3):
        desk.clock.advance(days=day)
        people.append(filed(desk))
    lin, _ = people[0]
    officer.approves(people[1][1])
    export, book = made(desk, officer, filters={"state": "submitted", "order": "newest"})
    assert (export["state"], export["rows"], export["failure"]) == ("ready", 2, None)
    told = lines(book)
    queue = officer.queue(order="newest")
    assert [each["受理编号"] for each in told] == [each["number"] for each in queue]
    row = told[-1]
    assert row["姓名"] == "林**"
    assert row["证件号码"] == desk.masked(lin)
    assert row["联系电话"] == f"{lin.phone[:3]}****{lin.phone[-4:]}"
    assert row["审核结果"] == "待审核"
    assert row["证件类型"] == "居民身份证（户口簿）"
    assert row["就业类型"] == "新就业形态（平台就业）"
    assert row["申请时间"] == datetime(2026, 9, 29, 10, 0)  # noqa: DTZ001 - Guangzhou's, as written
    assert row["开始日期"] == datetime(2026, 9, 1)  # noqa: DTZ001
    about = dict(book.worksheets[0].iter_rows(values_only=True))
    assert about["导出人"] == officer.claims["sub"]
    assert about["用途"] == PURPOSE
    assert about["查询条件"] == "审核结果：待审核；排序：最新在前"
    assert about["行政区划"] == "440106 广东省广州市天河区"
    assert about["行数"] == "2"
    page = book.worksheets[1]
    assert officer.claims["sub"] in page.oddHeader.left.text
    assert PURPOSE in page.oddHeader.left.text
    assert export["id"] in page.oddFooter.left.text
    assert export["id"] in book.properties.description
    data = fetched(officer, export).data
    assert len(data) == export["size"]
    for secret in (lin.number, lin.phone, "林小满", desk.form["address"]):
        assert secret not in "".join(map(str, told))


@pytest.mark.req("AL-06", "AL-02")
def test_an_export_is_its_officers_alone(desk: Any, stored: Any) -> None:
    officer, other = desk.officer("440106"), desk.officer("440106")
    filed(desk)
    _, elsewhere = filed(desk, work_place="440305001")
    export, book = made(desk, officer)
    assert elsewhere["number"] not in [each["受理编号"] for each in lines(book)]
    assert len(lines(book)) == 1
    for path in ("", "/file"):
        answer = other.get(f"{PATH}/{export['id']}{path}")
        assert (answer.status_code, answer.json["code"]) == (404, "export-not-found")
    assert other.done(other.get(PATH))["items"] == []
    assert [each["id"] for each in officer.done(officer.get(PATH))["items"]] == [export["id"]]
    # A region outside of one's own finds nothing, as on the screen.
    _, empty = made(desk, officer, filters={"region": "4403"})
    assert lines(empty) == []
    stored = b"".join(path.read_bytes() for path in stored.rglob("*") if path.is_file())
    assert ZIP not in stored
    assert PURPOSE.encode() not in stored


@pytest.mark.req("AL-06", "AL-02")
def test_whose_duties_were_withdrawn_gets_nothing(desk: Any) -> None:
    officer = desk.officer("440106")
    who = officer.claims["sub"]
    filed(desk)
    export, _ = made(desk, officer)
    late = asks(officer)
    desk.knows(who, "440106", BUSINESS, active=False)
    desk.job("build-exports")
    failed = shown(officer, late)
    assert (failed["state"], failed["failure"], failed["rows"]) == (
        "failed",
        "officer-withdrawn",
        None,
    )
    assert fetched(officer, late).json["code"] == "export-not-ready"
    # Their next token says where they are now, and what was made before is theirs no more.
    moved = type(officer)(desk, officer.claims | {"region": "440105"})
    assert fetched(moved, export).status_code == 404
    assert moved.done(moved.get(PATH))["items"] == []
    other = ["employment-registry.certificate"]
    assert (
        fetched(type(officer)(desk, officer.claims | {"businesses": other}), export).status_code
        == 403
    )
    person = desk.person()
    assert fetched(person, export).status_code == 403


@pytest.mark.req("AL-06", "AL-02")
@pytest.mark.parametrize(
    ("known", "rows"), [("44", 2), ("4401", 1), ("440106", 1), ("440305", 1), ("440304", 0)]
)
def test_the_region_of_the_day_counts(desk: Any, known: str, rows: int) -> None:
    officer = desk.officer("44")
    filed(desk)
    filed(desk, work_place="440305001")
    export = asks(officer)
    desk.knows(officer.claims["sub"], known, BUSINESS)
    desk.job("build-exports")
    assert shown(officer, export)["rows"] == rows


@pytest.mark.req("AL-06")
def test_nobody_exports_what_they_do_not_review_or_without_a_purpose(desk: Any) -> None:
    officer = desk.officer("440106")
    other = officer.post("certificate-reviews/exports", wish())
    assert other.status_code == 403
    wrong = officer.post(PATH, wish(purpose="统计", filters={"order": "luck", "due": "blue"}))
    assert wrong.status_code == 422
    fields = {error["field"] for error in wrong.json["errors"]}
    assert fields == {"/purpose", "/filters/order", "/filters/due"}
    days = {"submitted_from": "2026-09-02", "submitted_to": "2026-09-01"}
    reversed_ = officer.post(PATH, wish(filters=days)).json["errors"]
    assert [each["code"] for each in reversed_] == ["range-reversed"]
    assert desk.rows("export") == []


@pytest.mark.req("AL-06")
def test_of_forty_wishes_one_waits(desk: Any) -> None:
    officer = desk.officer("440106")
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: officer.post(PATH, wish()), range(40)))
    ends = Counter(a.json.get("code", a.status_code) for a in answers)
    assert ends == {202: 1, "export-under-way": 39}
    desk.job("build-exports")
    assert asks(officer)["state"] == "waiting"  # the next one may be asked for
    assert asks(desk.officer("440106"))["state"] == "waiting"


@pytest.mark.req("AL-06", "AL-04")
def test_every_download_is_on_record_and_the_file_goes_in_time(desk: Any, stored: Any) -> None:
    officer = desk.officer("440106")
    filed(desk)
    export, _ = made(desk, officer)
    answer = fetched(officer, export)
    assert answer.headers["Cache-Control"] == "no-store"
    assert export["id"][-8:] in answer.headers["Content-Disposition"]
    looks = desk.rows("access_record")
    assert [(look.column, look.record_id, look.actor_id, look.reason) for look in looks] == [
        (f"{BUSINESS}.export", export["id"], officer.claims["sub"], PURPOSE)
    ] * 2
    desk.job("sweep-exports")
    assert shown(officer, export)["state"] == "ready"
    desk.clock.advance(days=3)
    refused = fetched(officer, export)  # also before anybody has deleted it
    assert (refused.status_code, refused.json["code"]) == (409, "export-not-ready")
    desk.job("sweep-exports")
    assert shown(officer, export)["state"] == "expired"
    assert [path for path in stored.rglob("*") if path.is_file()] == []
    assert len(desk.rows("access_record")) == 2
    assert "林小满" not in desk.everything_told()


@pytest.mark.req("AL-06")
@pytest.mark.slow
def test_what_a_killed_worker_was_making_another_one_makes(desk: Any) -> None:
    officer = desk.officer("440106")
    filed(desk)
    export = asks(officer)
    with desk.app.database.transaction() as db:
        db.execute(text("LOCK TABLE flexible_employment_application IN ACCESS EXCLUSIVE MODE"))
        with desk.worker("build-exports") as worker:
            try:
                until(lambda: desk.rows("export")[0].state == "running", seconds=60.0)
            finally:
                worker.kill()
    desk.job("build-exports")
    assert shown(officer, export)["state"] == "running"  # the dead one's lease still runs
    assert officer.post(PATH, wish()).json["code"] == "export-under-way"
    desk.clock.advance(minutes=6)
    desk.job("build-exports")
    assert (shown(officer, export)["state"], shown(officer, export)["rows"]) == ("ready", 1)
    (row,) = desk.rows("export")
    assert row.attempt == 2
    assert len(lines(load_workbook(io.BytesIO(fetched(officer, export).data)))) == 1


@pytest.mark.req("AL-06")
def test_what_fails_again_and_again_is_given_up(desk: Any) -> None:
    officer = desk.officer("440106")
    export = asks(officer)
    stuck = "UPDATE export SET state = 'running', attempt = 3, leased_until = :now"
    with desk.app.database.transaction() as db:
        db.execute(text(stuck), {"now": datetime(2026, 9, 29, tzinfo=UTC)})
    desk.job("build-exports")
    failed = shown(officer, export)
    assert (failed["state"], failed["failure"]) == ("failed", "build-failed")
    assert failed["failure_label"].startswith("多次尝试")
    assert asks(officer)["state"] == "waiting"


@pytest.mark.req("AL-06")
@pytest.mark.parametrize(
    "business", ["flexible-employment", "unemployment", "certificate", "ending"]
)
def test_every_business_has_its_columns(desk: Any, business: str) -> None:
    officer = desk.officer("440106", business=f"employment-registry.{business}")
    path = f"{business}-reviews/exports"
    export = officer.done(officer.post(path, wish()), 202)
    desk.job("build-exports")
    answer = officer.get(f"{path}/{export['id']}/file")
    book = load_workbook(io.BytesIO(answer.data))
    export = officer.done(officer.get(f"{path}/{export['id']}"))
    assert export["rows"] == 0
    titles = [cell.value for cell in book.worksheets[1][1]]
    assert titles[:4] == ["受理编号", "姓名", "证件类型", "证件号码"]
    assert len(titles) == len(set(titles))


@pytest.mark.req("AL-06", "AL-04")
def test_no_column_is_exported_in_clear(desk: Any) -> None:
    exports = exports_of(desk.app.settings, desk.app.vault)
    columns = [
        column.source.property.columns[0]
        for matter in exports.matters.values()
        for column in matter.sheet.columns
    ]
    personal = {column.name for column in columns if column.info["personal"]}
    assert personal == {"person_name", "document_number", "contact_phone"}


@pytest.mark.req("AL-06")
def test_whoever_asked_is_told_once_when_it_is_ready_or_will_not_be(desk: Any) -> None:
    officer = desk.officer("440106")

    def told() -> list[Any]:
        rows = [row for row in desk.rows("outbox") if row.type.endswith("review.export-ended.v1")]
        return [(row.data["officer_id"], row.data["export_id"], row.data["state"]) for row in rows]

    me = officer.claims["sub"]
    ready = asks(officer)
    assert told() == []
    desk.job("build-exports")
    desk.job("build-exports")
    assert told() == [(me, ready["id"], "ready")]
    gone = asks(officer)
    desk.knows(me, "440106", BUSINESS, active=False)
    desk.job("build-exports")
    assert told()[1:] == [(me, gone["id"], "failed")]
    assert desk.masked(desk.person()) not in desk.everything_told()


class Meanwhile(threading.Event):
    """Never set; something happens while the worker asks whether it is, for the second time."""

    def __init__(self, what: Callable[[], None]) -> None:
        super().__init__()
        self._what, self._asked = what, 0

    def is_set(self) -> bool:
        self._asked += 1
        if self._asked == 2:
            self._what()
        return super().is_set()


def builder(desk: Any, stop: threading.Event | None = None, **how: Any) -> Builder:
    exports = exports_of(desk.app.settings, desk.app.vault)
    return Builder(exports, desk.app.database, desk.clock, stop or threading.Event(), **how)


@pytest.mark.req("AL-06")
@pytest.mark.parametrize(("most", "state"), [(1, "failed"), (2, "ready")])
def test_too_much_for_one_file_is_told(desk: Any, most: int, state: str) -> None:
    officer = desk.officer("440106")
    for _ in range(2):
        filed(desk)
    export = asks(officer)
    builder(desk, most=most).work_off()
    ended = shown(officer, export)
    assert ended["state"] == state
    assert ended["failure"] == (None if state == "ready" else "too-many-rows")


@pytest.mark.req("AL-06")
def test_a_worker_thought_dead_changes_nothing_of_what_another_made(
    desk: Any, stored: Path
) -> None:
    officer = desk.officer("440106")
    filed(desk)
    export = asks(officer)

    def another_takes_over() -> None:
        desk.clock.advance(minutes=6)
        desk.job("build-exports")

    builder(desk, Meanwhile(another_takes_over)).work_off()
    (row,) = desk.rows("export")
    assert (row.state, row.attempt) == ("ready", 2)
    assert fetched(officer, export).data.startswith(ZIP)
    desk.clock.advance(days=3)
    desk.job("sweep-exports")
    assert [path for path in stored.rglob("*") if path.is_file()] == []


@pytest.mark.req("AL-06")
def test_a_worker_that_is_to_stop_gives_it_back(desk: Any) -> None:
    officer = desk.officer("440106")
    filed(desk)
    export = asks(officer)
    stop = Meanwhile(lambda: threading.Event.set(stop))
    builder(desk, stop).work_off()
    (row,) = desk.rows("export")
    assert (row.state, row.attempt, row.leased_until) == ("waiting", 0, None)
    desk.job("build-exports")
    assert shown(officer, export)["state"] == "ready"
