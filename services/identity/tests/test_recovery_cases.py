"""Reviewed recoveries (ID-11 … ID-15): photographs, due dates, four eyes, the old phone's no."""

import io
import re
from types import SimpleNamespace

import pytest
from PIL import Image
from sqlalchemy import select

from identity.recovery.model import Upload
from servicekit.clock import shanghai_date
from servicekit.working_days import add_working_days

PERSON, UNIT = "identity.person-recovery", "identity.unit-recovery"
OWN_PHONE = "13911115555"
KINDS = {
    "person-password": ("id-front", "id-back", "id-held"),
    "person-login-name": ("id-front", "id-back", "id-held"),
    "unit-login-name": ("unit-certificate", "agent-id"),
    "unit-password": ("id-front", "id-held", "licence-sealed", "letter-sealed"),
}


def picture(shade=120):
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, 80, 60)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def person(world):
    made = world.proves(world.registers())
    world.clock.advance(minutes=2)
    return made


@pytest.fixture
def unit(world, person):
    made = world.registers_unit(person)
    world.clock.advance(minutes=2)
    return made


def hidden(page):
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def opens(world, browser, name, phone=OWN_PHONE, **typed):
    path = f"/identity/recovery/photos/{name}"
    sent = browser.post(f"{path}/code", hidden(browser.get(path)) | {"phone": phone})
    assert sent.status_code == 200, sent.text
    code = re.search(r"\d{6}", world.texts(phone)[0])[0]
    return browser.fills(path, phone=phone, sms_code=code, region="440106", **typed)


def sends(browser, name, **changes):
    files = {kind: (io.BytesIO(picture()), "a.jpg") for kind in KINDS[name]}
    files |= {"consent": "2026-01"} | changes
    page = browser.get("/identity/recovery/files")
    return browser.post("/identity/recovery/files", hidden(page) | files)


def files_case(world, name, browser=None, **typed):
    browser = browser or world.browser()
    opened = opens(world, browser, name, **typed)
    assert opened.location == "/identity/recovery/files", opened.text
    filed = sends(browser, name)
    assert filed.status_code == 200, filed.text
    number, code = re.findall(r'class="secret">([\w-]+)<', filed.text)
    world.job("warn-old-phones")
    return SimpleNamespace(number=number, code=code, browser=browser)


def of_person(person, **changes):
    return {
        "contact_name": person.name,
        "document_type": person.document_type,
        "document_number": person.document_number,
        "login_name": person.login_name,
    } | changes


def of_unit(unit, **changes):
    return {
        "certificate_number": unit.certificate_number,
        "unit_name": unit.name,
        "contact_name": "林小满",
    } | changes


class Desk:
    """An officer at the queue of one kind of case."""

    def __init__(self, world, business, region="440106"):
        officer = world.officer("reviewer", region=region, businesses=(business,))
        self.token, self.browser = world.token_of(officer), world.browser()
        side = "person" if business == PERSON else "unit"
        self.path = f"/{side}-recovery-reviews"

    def queue(self):
        return self.browser.api("GET", self.path, token=self.token).json["items"]

    def does(self, move, case_id, **body):
        path = f"{self.path}/{case_id}/{move}"
        return self.browser.api("POST", path, body, token=self.token)


@pytest.mark.req("ID-12", "ID-15", "I2", "I7")
def test_a_person_shows_photographs_and_gets_a_one_time_password(world, person):
    session = world.token_of(person)
    filed = files_case(world, "person-password", **of_person(person))
    assert filed.number in world.texts(OWN_PHONE)[0]
    assert "停止码" in world.texts(person.phone)[0]
    desk = Desk(world, PERSON)
    line = desk.queue()[0]
    assert (line["is_matched"], line["contact_phone"]) == (True, "139****5555")
    view = desk.browser.api("GET", f"{desk.path}/{line['id']}", token=desk.token).json
    assert [f["kind"] for f in view["files"]] == list(KINDS["person-password"])
    assert person.document_number not in str(view)
    approved = desk.does("approve", line["id"], note="照片与登记信息一致")
    assert approved.status_code == 200, approved.text
    told = world.texts(OWN_PHONE)[0]
    assert person.login_name in told
    password = re.search(r"一次性密码(\w+)", told)[1]
    assert password not in approved.text
    assert world.browser().api("GET", "/me", token=session).status_code == 401
    browser = world.browser()
    assert browser.logs_in(person, password=password).location == "/identity/new-password"
    both = dict.fromkeys(("password", "password_again"), "Hb2026rsW")
    assert browser.fills("/identity/new-password", **both).location == "/identity/"
    me = browser.api("GET", "/me", token=browser.tokens()["access_token"]).json
    assert me["phone"] == "139****5555"  # the phone that was proved takes the lost one's place


@pytest.mark.req("ID-11", "I1")
def test_a_login_name_is_sent_to_the_phone_that_was_proved(world, person):
    typed = of_person(person)
    typed.pop("login_name")
    files_case(world, "person-login-name", **typed)
    desk = Desk(world, PERSON)
    assert desk.does("approve", desk.queue()[0]["id"], note="一致").status_code == 200
    assert person.login_name in world.texts(OWN_PHONE)[0]
    assert world.browser().logs_in(person).status_code == 303  # the password stays


@pytest.mark.req("ID-13", "ID-14", "I3", "I4", "E6")
@pytest.mark.parametrize("name", ["unit-login-name", "unit-password"])
def test_a_unit_needs_two_officers_and_is_announced(world, unit, name):
    files_case(world, name, **of_unit(unit))
    first, second = Desk(world, UNIT), Desk(world, UNIT)
    case_id = first.queue()[0]["id"]
    assert first.does("approve", case_id, note="一致").status_code == 409  # nobody endorsed it
    assert first.does("endorse", case_id, note="材料齐全").status_code == 200
    same = first.does("approve", case_id, note="一致")
    assert (same.status_code, same.json["code"]) == (403, "four-eyes")
    done = second.does("approve", case_id, note="一致")
    assert done.status_code == 200, done.text
    assert ("identity.unit.recovered.v1", {"unit_id": unit.id}) in world.events()
    told = world.texts(OWN_PHONE)[0]
    assert unit.login_name in told
    assert "停止码" in world.texts(unit.legal_phone)[0]
    if name == "unit-password":
        password = re.search(r"一次性密码(\w+)", told)[1]
        entered = world.browser().logs_in(unit, password=password)
        assert entered.location == "/identity/new-password"


@pytest.mark.req("ID-11", "ID-13", "ID-18")
def test_a_case_that_matches_nobody_is_answered_alike_and_cannot_be_approved(world, person):
    world.clock.advance(minutes=2)
    right, wrong = of_person(person), of_person(person, login_name="nobody_here")
    browsers = []
    for typed in (right, wrong):
        browser = world.browser()
        opened = opens(world, browser, "person-password", **typed)
        browsers.append((opened.status_code, opened.location, opened.text))
        sends(browser, "person-password")
        world.clock.advance(minutes=2)
    assert browsers[0] == browsers[1]
    desk = Desk(world, PERSON)
    nobody = next(c for c in desk.queue() if not c["is_matched"])
    refused = desk.does("approve", nobody["id"], note="一致")
    assert (refused.status_code, refused.json["code"]) == (409, "recovery-without-account")
    rejected = desk.does("reject", nobody["id"], reason_code="not-matched")
    assert rejected.status_code == 200, rejected.text
    assert "未通过" in world.texts(OWN_PHONE)[0]


@pytest.mark.req("ID-13", "ID-15")
def test_the_due_date_counts_working_days_and_what_is_overdue_stands_first(world, person):
    files_case(world, "person-password", **of_person(person))
    desk = Desk(world, PERSON)
    due = desk.queue()[0]
    today = shanghai_date(world.clock.now())
    assert due["due_on"] == add_working_days(today, 2).isoformat()
    assert due["is_overdue"] is False
    world.clock.advance(days=14)
    files_case(world, "person-password", **of_person(person))
    desk = Desk(world, PERSON)
    queue = desk.queue()
    assert [c["is_overdue"] for c in queue] == [True, False]


@pytest.mark.req("ID-13")
def test_a_returned_case_is_corrected_with_number_and_query_code(world, person):
    filed = files_case(world, "person-password", **of_person(person))
    desk = Desk(world, PERSON)
    case_id = desk.queue()[0]["id"]
    marked = {"reason_code": "photo-unclear", "fields_to_correct": ["/files/id-held"]}
    assert desk.does("return", case_id, **marked).status_code == 200
    assert "需要补正" in world.texts(OWN_PHONE)[0]
    browser = world.browser()
    wrong = browser.fills("/identity/recovery/status", number=filed.number, code="22222-22222")
    assert wrong.status_code == 422
    found = browser.fills("/identity/recovery/status", number=filed.number, code=filed.code)
    assert "照片不清晰" in found.text
    assert "请重新拍摄" in browser.get("/identity/recovery/files").text
    assert sends(browser, "person-password").status_code == 200
    assert [c["state"] for c in desk.queue()] == ["submitted"]
    view = desk.browser.api("GET", f"{desk.path}/{case_id}", token=desk.token).json
    assert len(view["files"]) == 3  # those from before are gone


def test_who_guesses_codes_is_told_to_wait(world):
    browser, guess = world.browser(), {"code": "22222-22222"}
    allowed = [browser.fills("/identity/recovery/stop", **guess) for _ in range(20)]
    assert {answer.status_code for answer in allowed} == {422}
    for path, more in (("stop", {}), ("status", {"number": "440106-91-20261121-000001-1"})):
        late = browser.fills(f"/identity/recovery/{path}", **guess, **more)
        assert late.status_code == 429, late.text


@pytest.mark.req("ID-11")
def test_the_old_phone_stops_a_case(world, person):
    files_case(world, "person-password", **of_person(person))
    code = re.search(r"停止码(\w{5}-\w{5})", world.texts(person.phone)[0])[1]
    assert world.browser().fills("/identity/recovery/stop", code=code).status_code == 200
    desk = Desk(world, PERSON)
    case = desk.queue()[0]
    assert case["state"] == "withdrawn"
    assert desk.does("approve", case["id"], note="一致").status_code == 409
    assert world.browser().logs_in(person).status_code == 303


@pytest.mark.req("ID-12")
def test_the_old_phone_undoes_a_decided_case_and_gets_the_account_back(world, person):
    files_case(world, "person-password", **of_person(person))
    desk = Desk(world, PERSON)
    desk.does("approve", desk.queue()[0]["id"], note="一致")
    password = re.search(r"一次性密码(\w+)", world.texts(OWN_PHONE)[0])[1]
    code = re.search(r"停止码(\w{5}-\w{5})", world.texts(person.phone)[0])[1]
    assert world.browser().fills("/identity/recovery/stop", code=code).status_code == 200
    thief = world.browser()
    assert thief.logs_in(person, password=password).location == "/identity/phone-code"
    token = hidden(thief.get("/identity/phone-code"))
    thief.post("/identity/phone-code/send", token)
    assert "确认本人操作" in world.texts(person.phone)[0]  # to the old phone again


@pytest.mark.req("ID-13")
def test_officers_see_their_region_alone_and_every_look_at_a_photograph_is_on_record(world, person):
    files_case(world, "person-password", **of_person(person))
    elsewhere = Desk(world, PERSON, region="440305")
    assert elsewhere.queue() == []
    desk = Desk(world, PERSON)
    case_id = desk.queue()[0]["id"]
    view = desk.browser.api("GET", f"{desk.path}/{case_id}", token=desk.token).json
    path = f"{case_id}/files/{view['files'][0]['id']}"
    assert desk.does("look", path).status_code == 422  # no reason
    seen = desk.does("look", path, reason="与登记信息核对")
    assert (seen.status_code, seen.data[:2]) == (200, b"\xff\xd8")
    assert elsewhere.does("look", path, reason="好奇").status_code == 404
    with world.app.database.reading() as db:
        looks = db.connection().exec_driver_sql("SELECT count(*) FROM access_record")
        assert looks.scalar_one() == 1


@pytest.mark.req("ID-11")
def test_photographs_are_deleted_some_weeks_after_the_decision(world, person, settings):
    files_case(world, "person-password", **of_person(person))
    desk = Desk(world, PERSON)
    desk.does("reject", desk.queue()[0]["id"], reason="照片与登记信息不符。")

    def states():
        world.job("sweep-uploads")
        with world.app.database.reading() as db:
            return set(db.scalars(select(Upload.state)).all())

    world.clock.advance(days=settings.recovery_photos_kept_days - 1)
    assert states() == {"attached"}
    world.clock.advance(days=1, seconds=1)
    assert states() == {"deleted"}


@pytest.mark.req("ID-14")
def test_wrong_and_missing_photographs_are_refused_one_by_one(world, unit):
    browser = world.browser()
    opens(world, browser, "unit-password", **of_unit(unit))
    wrong = {
        "id-front": (io.BytesIO(b"no picture"), "a.jpg"),
        "letter-sealed": (io.BytesIO(b""), "a.jpg"),
    }
    refused = sends(browser, "unit-password", **wrong)
    assert refused.status_code == 422
    assert "请上传单位委托授权书" in refused.text
    assert "身份证件正面照片：" in refused.text
    assert sends(browser, "unit-password").status_code == 200
    assert sends(browser, "unit-password").location == "/identity/recovery/status"  # filed


@pytest.mark.parametrize("name", ["person-nothing", "unit", "officer-password"])
def test_there_are_four_kinds_of_cases(world, name):
    assert world.browser().get(f"/identity/recovery/photos/{name}").status_code == 404


@pytest.mark.req("ID-12", "ID-17")
def test_photographs_need_the_consent_that_was_read_and_go_when_it_is_taken_back(world, person):
    browser = world.browser()
    opens(world, browser, "person-password", **of_person(person))
    for version in ("", "2025-01"):
        refused = sends(browser, "person-password", consent=version)
        assert (refused.status_code, "请阅读并单独同意" in refused.text) == (422, True)
    filed = sends(browser, "person-password")
    number, code = re.findall(r'class="secret">([\w-]+)<', filed.text)
    desk = Desk(world, PERSON)
    case = desk.queue()[0]
    assert desk.does("claim", case["id"]).status_code == 200
    other = world.browser()
    page = other.fills("/identity/recovery/status", number=number, code=code)
    assert "撤回同意并删除照片" in page.text
    assert other.post("/identity/recovery/withdraw", {}).status_code == 303  # not our form
    done = other.post("/identity/recovery/withdraw", hidden(page))
    assert "已撤回同意" in done.text
    assert other.post("/identity/recovery/withdraw", hidden(page)).status_code == 404
    assert desk.does("approve", case["id"]).json["code"] == "wrong-state"
    world.job("sweep-uploads")
    with world.app.database.reading() as db:
        assert db.scalars(select(Upload.state)).all() == ["deleted"] * 3  # and none unconsented


@pytest.mark.req("ID-17")
def test_the_owner_finds_the_consent_after_the_approval_and_takes_it_back(world, person):
    files_case(world, "person-login-name", **of_person(person))
    desk = Desk(world, PERSON)
    case = desk.queue()[0]
    desk.does("claim", case["id"])
    assert desk.does("approve", case["id"]).status_code == 200
    browser = world.browser().signs_in(person)
    page = browser.get("/identity/security")
    assert "《证件照片处理单独同意书》" in page.text
    path = "/identity/security/consents/document-photos/withdraw"
    assert browser.post(path, hidden(page)).location == "/identity/security?done=consent"
    assert "《证件照片处理单独同意书》" not in browser.get("/identity/security").text
    assert browser.post(path, hidden(page)).status_code == 404
    with world.app.database.reading() as db:
        assert set(db.scalars(select(Upload.state))) == {"deleting"}


def at_desk(world, business):
    officer = world.officer("reviewer", region="440106", businesses=(business,))
    return world.browser().signs_in(officer, world.clock)


def decides(desk, path, move, **said):
    fields = hidden(desk.get(path))
    return desk.post(f"{path}/{move}", {"form_token": fields["form_token"]} | said)


@pytest.mark.req("ID-14", "ID-15", "AL-10")
def test_a_units_case_is_decided_by_two_officers_on_pages_without_scripts(world, unit):
    files_case(world, "unit-password", **of_unit(unit))
    first, second = at_desk(world, UNIT), at_desk(world, UNIT)
    queue = "/identity/desk/unit-recoveries"
    page = first.get(queue)
    assert "单位重设密码" in page.text
    assert "<script" not in page.text
    path = re.search(rf'href="({queue}/[0-9a-f-]+)"', page.text)[1]
    shown = first.get(path).text
    assert OWN_PHONE not in shown
    assert OWN_PHONE in decides(first, path, "reveal", reason="电话核实").text
    photo = re.search(rf'action="({path}/files/[0-9a-f-]+)"', shown)[1]
    assert decides(first, path, photo.removeprefix(f"{path}/")).status_code == 422
    image = decides(first, path, photo.removeprefix(f"{path}/"), reason="核对")
    assert (image.status_code, image.content_type) == (200, "image/jpeg")
    assert decides(first, path, "claim").status_code == 200
    version = re.search(r'name="version" value="(\d+)"', first.get(path).text)[1]
    assert "由其他经办人员处理" in decides(second, path, "endorse", version=version).text
    assert decides(first, path, "endorse").status_code == 409  # no version: not what was seen
    assert "请选择常用理由" in decides(first, path, "return", version=version).text
    assert "初审通过，等待另一人复核" in decides(first, path, "endorse", version=version).text
    version = re.search(r'name="version" value="(\d+)"', first.get(path).text)[1]
    assert "须由另一位经办人员复核" in decides(first, path, "approve", version=version).text
    done = decides(second, path, "approve", version=version, note="材料齐全")
    assert "已通过，结果已发送" in done.text
    assert unit.login_name in world.texts(OWN_PHONE)[0]
    assert "没有待办的申请" in first.get(queue).text
    assert "已通过" in first.get(f"{queue}?all=1").text or "审核通过" in done.text
    assert first.get(f"{queue}/nonsense").status_code == 404
