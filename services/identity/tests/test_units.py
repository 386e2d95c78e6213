"""Registering a unit in three steps: who may, with what, once, and what is told to whom."""

import pytest
from sqlalchemy import func, select

from identity.accounts.model import Account
from identity.units import queries
from identity.units.model import Unit

NO_MATCH = "实名个人登录账号或实名个人证件号码有误，请核对后重新填写"


def step_one(world, login_name, number, browser=None):
    asked = {"login_name": login_name, "document_number": number}
    return (browser or world.browser()).api("POST", "/unit-registrations", asked)


def step_two(world, begun, **changes):
    form = world.unit_form(**{"ticket": begun.ticket, "sms_code": begun.code} | changes)
    return world.browser().api("POST", f"{begun.path}/unit", form), form


def fields(answer):
    return {(wrong["field"], wrong["code"]) for wrong in answer.json["errors"]}


def count(world, table):
    with world.app.database.reading() as db:
        return db.scalar(select(func.count()).select_from(table))


@pytest.mark.req("ID-20", "ID-21", "E1", "E2")
def test_a_verified_person_registers_a_unit_and_it_is_announced(world):
    agent = world.proves(world.registers())
    unit = world.registers_unit(agent)
    token = world.token_of(unit)
    shown = world.browser().api("GET", "/unit", token=token).json
    assert shown["certificate_number"] == unit.certificate_number
    assert (shown["province_level"], shown["verified"]) == (2, False)
    assert shown["legal_name"] == "陈**"
    assert shown["does_business"] is True
    kinds = [kind for kind, _ in world.events()[-2:]]
    assert kinds == ["identity.account.registered.v1", "identity.unit.registered.v1"]
    assert world.events()[-1][1] == {
        "unit_id": unit.id,
        "person_id": agent.id,
        "certificate_type": "uscc",
        "certificate_number": unit.certificate_number,
        "name": unit.name,
        "region": "440106",
        "level": 2,
    }
    assert "注册了单位账号" in world.texts(agent.phone)[0]


@pytest.mark.req("ID-20", "E2")
def test_step_one_answers_alike_whatever_is_wrong(world, tell):
    agent = world.proves(world.registers())
    other = world.registers()
    officer = world.officer("reviewer")
    number = tell.resident_number("44010619900101998")
    wrong = [
        step_one(world, agent.login_name, other.document_number),
        step_one(world, "nobody_here", agent.document_number),
        step_one(world, agent.login_name, number),
        step_one(world, officer.login_name, agent.document_number),
        step_one(world, agent.login_name, "x"),
    ]
    assert {answer.status_code for answer in wrong} == {422}
    assert {answer.json["detail"] for answer in wrong} == {NO_MATCH}
    shapes = {tuple(sorted(set(a.json) - {"instance"})) for a in wrong}
    assert len(shapes) == 1
    right = step_one(world, agent.login_name.upper(), agent.document_number.lower())
    assert right.status_code == 201
    assert right.json["agent"] == {"name": "林**", "phone": right.json["agent"]["phone"]}
    assert agent.phone not in right.text


@pytest.mark.req("ID-20", "D1", "E1")
def test_a_person_below_level_two_is_told_so_with_the_ways_to_raise_it(world):
    agent = world.registers()
    answer = step_one(world, agent.login_name, agent.document_number)
    assert answer.status_code == 403
    assert answer.json["detail"] == "当前账号实名等级不足，请至少提升至二级实名后重试"
    assert {way["channel"] for way in answer.json["ways"]} >= {"bank-card", "province"}


@pytest.mark.req("ID-05", "E8")
def test_a_person_with_two_accounts_is_told_so(world):
    agent = world.proves(world.registers())
    world.takes_in(agent)
    answer = step_one(world, agent.login_name, agent.document_number)
    assert (answer.status_code, answer.json["detail"]) == (409, "【自然人用户信息】数据错误")
    assert "账号管理员" in answer.json["help"]


@pytest.mark.req("ID-23", "B6")
@pytest.mark.parametrize(
    "document",
    [
        {"document_type": "hk-macau-permit", "document_number": "H1234567801"},
        {"document_type": "taiwan-permit", "document_number": "12345678"},
    ],
)
def test_persons_of_hong_kong_macau_and_taiwan_register_units_too(world, document):
    agent = world.proves(world.registers(**document, birth_date="1988-08-08", sex="female"))
    world.registers_unit(agent)
    renewed = {"hk-macau-permit": "H1234567802", "taiwan-permit": "1234567802"}
    number = renewed[document["document_type"]]
    assert step_one(world, agent.login_name, number).status_code == 201


@pytest.mark.req("ID-20")
def test_tries_for_one_agent_are_limited_but_not_at_the_agents_own_browser(world):
    agent = world.proves(world.registers())
    answers = [step_one(world, agent.login_name, f"{n:018}") for n in range(11)]
    assert [a.status_code for a in answers].count(422) == 10
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    late = step_one(world, agent.login_name, agent.document_number)
    assert late.status_code == 429
    own = world.browser().signs_in(agent)
    assert step_one(world, agent.login_name, agent.document_number, own).status_code == 201


@pytest.mark.req("ID-21", "AL-01")
def test_every_wrong_field_of_the_unit_is_named_at_once(world):
    begun = world.begins_unit(world.proves(world.registers()))
    wrong = {
        "certificate_number": "91350100M000100Y44",
        "name": "x",
        "region": "44",
        "address": "路",
        "legal_name": "1",
        "legal_document_number": "440106199001010011",
        "legal_phone": "1",
        "login_name": "1x",
        "password": "qwer",
        "password_again": "other",
        "sms_code": "000000",
        "agreements": [],
    }
    answer, _ = step_two(world, begun, **wrong)
    assert answer.status_code == 422
    assert {field for field, _ in fields(answer)} == {f"/{name}" for name in wrong}
    assert count(world, Unit) == 0
    assert "qwer" not in answer.text


@pytest.mark.req("ID-21", "E4", "E5")
@pytest.mark.parametrize(
    ("kind", "number", "code", "text"),
    [
        ("uscc", "91350100M000100Y4 3", "uscc-without-spaces", "填写时不要带空格"),
        ("uscc", "91350100M000100Y43\u3000", "uscc-without-spaces", "填写时不要带空格"),
        ("uscc", "91350100M000100Y44", "identifier-check-digit", "校验不通过"),
        ("uscc", "914403001922038215", "identifier-check-digit", "校验不通过"),
        ("uscc", "192203821", "identifier-form", "位数或字符"),
        ("organisation-code", "19220382-2", "identifier-check-digit", "校验不通过"),
        ("organisation-code", "192203822", "identifier-check-digit", "校验不通过"),
    ],
)
def test_numbers_of_units(world, kind, number, code, text):
    asked = {"certificate_type": kind, "certificate_number": number}
    answer = world.browser().api("POST", "/unit-number-checks", asked)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert text in answer.json["detail"]


@pytest.mark.req("ID-21", "ID-22", "REF-11")
def test_an_organisation_code_is_kept_without_the_dash_that_was_typed(world):
    kind = "organisation-code"
    world.registers_unit(certificate_type=kind, certificate_number="19220382-1")
    for typed in ("192203821", "19220382-1", "19220382－1"):
        asked = {"certificate_type": kind, "certificate_number": typed}
        assert world.browser().api("POST", "/unit-number-checks", asked).json["in_use"] is True
    admin = world.token_of(world.officer("admin", region="44"))
    sought = {"certificate_number": "19220382-1"}
    (found,) = world.browser().api("POST", "/account-searches", sought, token=admin).json["items"]
    assert found["certificate_number"] == "192203821"


@pytest.mark.req("ID-22")
def test_a_number_registers_once_and_the_form_tells_whether_it_is_in_use(world):
    unit = world.registers_unit()
    asked = {"certificate_type": "uscc", "certificate_number": unit.certificate_number.lower()}
    told = world.browser().api("POST", "/unit-number-checks", asked)
    assert told.json["in_use"] is True
    assert told.json["message"] == "单位证件号码已经被使用"
    assert told.json["recovery"].startswith("/identity/")
    begun = world.begins_unit(world.proves(world.registers()))
    taken = {"certificate_number": unit.certificate_number, "login_name": unit.login_name.upper()}
    answer, _ = step_two(world, begun, **taken)
    assert (answer.status_code, answer.json["detail"]) == (409, "单位证件号码已经被使用")
    assert {field for field, _ in fields(answer)} == {"/certificate_number", "/login_name"}
    free, _ = step_two(world, begun)
    assert free.status_code == 201


@pytest.mark.req("ID-22")
def test_looking_numbers_up_is_limited(world, tell):
    browser = world.browser()
    asked = {"certificate_type": "uscc", "certificate_number": tell.uscc(77)}
    answers = [browser.api("POST", "/unit-number-checks", asked) for _ in range(61)]
    assert [a.status_code for a in answers].count(200) == 60
    assert answers[-1].json["code"] == "too-many-number-checks"


@pytest.mark.req("ID-20", "AL-07")
def test_the_ticket_is_bound_expires_and_gives_the_same_unit_again(world):
    agent = world.proves(world.registers())
    begun = world.begins_unit(agent)
    stranger, _ = step_two(world, begun, ticket="another")
    assert stranger.json["code"] == "unit-registration-not-found"
    first, form = step_two(world, begun)
    assert first.status_code == 201
    again = world.browser().api("POST", f"{begun.path}/unit", form)
    assert (again.status_code, again.json) == (201, first.json)
    assert count(world, Unit) == 1
    later = world.begins_unit(world.proves(world.registers()))
    world.clock.advance(hours=2)
    assert step_two(world, later)[0].status_code == 404


@pytest.mark.req("ID-20")
def test_an_agent_locked_or_fallen_between_the_steps_registers_nothing(world):
    agent = world.proves(world.registers())
    begun = world.begins_unit(agent)
    world.proves(agent, level=1)
    assert step_two(world, begun)[0].json["code"] == "realname-level-too-low"
    world.proves(agent, level=2)
    with world.app.database.transaction() as db:
        db.get_one(Account, agent.id).standing = "locked"
    assert step_two(world, begun)[0].status_code == 403
    assert step_one(world, agent.login_name, agent.document_number).status_code == 422
    assert count(world, Unit) == 0


@pytest.mark.req("ID-20")
def test_another_code_than_the_agents_opens_nothing(world):
    begun = world.begins_unit(world.proves(world.registers()))
    code = world.sms_code("13800009999", "registration")
    answer, _ = step_two(world, begun, sms_code=code if code != begun.code else "000000")
    assert fields(answer) == {("/sms_code", "sms-code-wrong")}


def rename(world, unit, **change):
    token = world.token_of(unit)
    return world.browser().api("POST", "/unit/name-changes", change, token=token)


@pytest.mark.req("ID-27", "J1")
def test_a_verified_unit_takes_a_name_the_base_knows_and_the_old_one_is_kept(world):
    unit = world.registers_unit()
    new = "广州示例科技股份有限公司"
    refused = rename(world, unit, name=new)
    assert (refused.status_code, refused.json["code"]) == (403, "unit-not-verified")
    world.proves(unit, level=3)
    for wrong in ("广州不一致有限公司", "广州已注销有限公司"):
        answer = rename(world, unit, name=wrong)
        assert (answer.status_code, answer.json["code"]) == (422, "legal-person-base-disagrees")
        assert "完全一致" in answer.json["detail"]
    down = rename(world, unit, name="广州繁忙有限公司")
    assert (down.status_code, down.json["detail"]) == (503, "外厅局接口异常，请联系业务部门!")
    assert rename(world, unit).json["code"] == "unit-change-refused"
    world.clock.advance(days=2)
    changed = rename(world, unit, name=new)
    assert (changed.status_code, changed.json["name"]) == (200, new)
    token = world.token_of(unit)
    former = world.browser().api("GET", "/unit/former-names", token=token).json["items"]
    assert [(f["name"], f["legal_name"]) for f in former] == [(unit.name, "陈**")]
    assert former[0]["valid_from"] < former[0]["valid_until"]
    told = {"unit_id": unit.id, "name": new, "region": "440106"}
    assert ("identity.unit.changed.v1", told) in world.events()


@pytest.mark.req("ID-27")
def test_a_new_representative_comes_with_document_and_phone(world, tell):
    unit = world.proves(world.registers_unit(), level=4)
    refused = rename(world, unit, legal_name="赵小寒")
    assert {field for field, _ in fields(refused)} == {"/legal_document_number", "/legal_phone"}
    number = tell.resident_number("44010619850101001")
    person = {"legal_name": "赵小寒", "legal_document_number": number}
    changed = rename(world, unit, **person, legal_phone="13700000001")
    assert changed.status_code == 200, changed.text
    assert (changed.json["legal_name"], changed.json["legal_phone"]) == ("赵**", "137****0001")
    with world.app.database.reading() as db:
        found = queries.find_unit(db, unit.id)
        assert found.legal_document_number.expose() == number


@pytest.mark.req("ID-28", "J2")
def test_the_number_and_the_login_name_of_a_unit_never_change(world):
    unit = world.registers_unit()
    token = world.token_of(unit)

    def change(**body):
        return world.browser().api("PATCH", "/unit", body, token=token, headers={"If-Match": "*"})

    answer = change(certificate_number="91350100M000100Y43", address="示例路 2 号")
    assert answer.status_code == 422
    assert answer.json["detail"] == (
        "已注册成功的单位统一社会信用代码不提供修改功能，"
        "如需使用新的统一社会信用代码，请重新注册单位账户。"
    )
    assert fields(change(login_name="other")) == {("/login_name", "login-name-cannot-change")}
    assert fields(change(region="44")) == {("/region", "region-unknown")}
    code = world.sms_code(unit.agent.phone, "change-email", token)
    mail = {"email": "office@example.com", "email_sms_code": code}
    moved = change(region="440305", address="示例路 2 号", **mail)
    assert moved.status_code == 200, moved.text
    assert (moved.json["region"], moved.json["email"]) == ("440305", "o***@example.com")
    assert world.events()[-1][0] == "identity.unit.changed.v1"
    codes = {
        "old_sms_code": world.sms_code(unit.agent.phone, "change-phone", token),
        "sms_code": world.sms_code("13700000019", "change-phone", token),
    }
    assert change(phone="13700000019", **codes).json["phone"] == "137****0019"


@pytest.mark.req("ID-20")
def test_a_person_sees_no_unit_data_and_a_unit_no_persons(world):
    unit = world.registers_unit()
    answer = world.browser().api("GET", "/unit", token=world.token_of(unit.agent))
    assert (answer.status_code, answer.json["code"]) == (403, "unit-session-required")
    me = world.browser().api("GET", "/me", token=world.token_of(unit)).json
    assert (me["kind"], me["person"]) == ("unit", None)


@pytest.mark.req("ID-21", "ID-26", "E5")
def test_a_unit_of_an_organisation_code_registers_and_its_tokens_say_so(world):
    code = {"certificate_type": "organisation-code", "certificate_number": "192203821"}
    old, new = world.registers_unit(**code), world.registers_unit()
    for unit, kind in ((old, "organisation-code"), (new, "uscc")):
        token = world.token_of(unit)
        assert world.app.verifier.verify(token).certificate_type == kind
    shown = world.browser().api("GET", "/unit", token=world.token_of(old)).json
    assert shown["does_business"] is False
    # The same unit under its credit code is another number, and another account.
    again = world.registers_unit(certificate_number="914403001922038216")
    assert again.id != old.id
