"""Recovery at once (ID-11, ID-12): by phone, bank card, questions; nothing is given away."""

import html
import re

import pytest

from identity.security_questions.rules import QUESTIONS

NEW = "Hb2026rsW"
NAMES = "/identity/recovery/login-name"
PASSWORDS = "/identity/recovery/password"
ANSWERS = {"first-teacher": "赵老师", "first-dish": "番茄炒蛋", "first-trip": "韶关"}


@pytest.fixture
def person(world):
    made = world.registers()
    world.clock.advance(minutes=2)
    return made


def code_for(world, browser, path, phone):
    """Ask for a code on a recovery page, and read the phone."""
    page = browser.get(path)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    sent = browser.post(f"{path}/code", hidden | {"phone": phone})
    assert sent.status_code == 200, sent.text
    return re.search(r"\d{6}", world.texts(phone)[0])[0]


def recovers(world, path, typed, *, phone, browser=None):
    browser = browser or world.browser()
    code = code_for(world, browser, path, phone)
    return browser.fills(path, phone=phone, sms_code=code, **typed)


def both(password=NEW):
    return {"password": password, "password_again": password}


def card_of(person, tell, **changes):
    return {
        "name": person.name,
        "document_type": person.document_type,
        "document_number": person.document_number,
        "card_number": tell.card("000"),
    } | changes


def shape(page, *typed):
    text = re.sub(r'(form_token|proof)" value="\w+"', "", page.text)
    for word in typed:
        text = text.replace(word, "")
    return page.status_code, text


@pytest.mark.req("ID-11", "I1")
def test_a_login_name_is_told_to_who_holds_the_phone(world, person):
    wrong = world.browser().fills(f"{NAMES}/phone", phone=person.phone, sms_code="000000")
    assert (wrong.status_code, person.login_name in wrong.text) == (422, False)
    found = recovers(world, f"{NAMES}/phone", {}, phone=person.phone)
    assert found.status_code == 200
    assert person.login_name in found.text
    nobody = recovers(world, f"{NAMES}/phone", {}, phone="13911112222")
    assert (nobody.status_code, "与账号不符" in nobody.text) == (422, True)


@pytest.mark.req("ID-11", "I1")
def test_a_login_name_is_told_to_whom_the_bank_knows_and_the_old_phone_hears_of_it(
    world, person, tell
):
    path, phone = f"{NAMES}/bank-card", "13911113333"
    found = recovers(world, path, card_of(person, tell), phone=phone)
    assert person.login_name in found.text
    assert "停止码" in world.texts(person.phone)[0]
    world.clock.advance(minutes=2)
    no = recovers(world, path, card_of(person, tell, card_number=tell.card("001")), phone=phone)
    assert (no.status_code, person.login_name in no.text) == (422, False)
    world.clock.advance(minutes=2)
    other = tell.resident_number("44010619750505123")
    unknown = card_of(person, tell, document_number=other)
    no = recovers(world, path, unknown, phone=phone)
    assert (no.status_code, "与账号不符" in no.text) == (422, True)


@pytest.mark.req("ID-12", "ID-10", "I2")
def test_a_password_is_reset_by_phone_and_document_and_every_session_ends(world, person):
    token = world.token_of(person)
    typed = {"login_name": person.login_name, "document_number": person.document_number}
    done = recovers(world, f"{PASSWORDS}/phone", typed | both(), phone=person.phone)
    assert done.status_code == 200, done.text
    assert world.browser().api("GET", "/me", token=token).status_code == 401
    assert world.browser().logs_in(person).status_code == 401
    assert world.browser().logs_in(person, password=NEW).status_code == 303
    assert any("已重设" in text for text in world.texts(person.phone))


@pytest.mark.req("ID-12", "ID-18")
def test_every_kind_of_mismatch_is_answered_alike(world, person, tell):
    other = world.registers()
    world.clock.advance(minutes=2)
    right = {"login_name": person.login_name, "document_number": person.document_number}
    mine = "13911114444"
    cases = [
        (right | {"login_name": "nobody_here"}, mine),
        (right, mine),
        (right | {"document_number": other.document_number}, person.phone),
        (right | {"login_name": other.login_name}, person.phone),
    ]
    pages = set()
    for typed, phone in cases:
        answer = recovers(world, f"{PASSWORDS}/phone", typed | both(), phone=phone)
        pages.add(shape(answer, *typed.values(), phone))
        world.clock.advance(minutes=2)
    assert len(pages) == 1
    assert next(iter(pages))[0] == 422
    assert world.browser().logs_in(person).status_code == 303


@pytest.mark.req("ID-12")
def test_guessing_at_a_name_slows_down_whoever_guesses(world, person):
    typed = {"login_name": person.login_name, "document_number": "440106199001010012"}
    answers = []
    for turn in range(5):
        world.clock.advance(seconds=20)
        phone = f"1391111{turn:04}"
        answers.append(
            recovers(world, f"{PASSWORDS}/phone", typed | both(), phone=phone).status_code
        )
    assert answers[:4] == [422] * 4
    assert answers[4] == 429


@pytest.mark.req("ID-12", "I2")
def test_a_password_reset_by_the_bank_can_be_undone_by_the_old_phone(world, person, tell):
    path, phone = f"{PASSWORDS}/bank-card", "13911113333"
    typed = card_of(person, tell) | {"login_name": person.login_name} | both()
    assert recovers(world, path, typed, phone=phone).status_code == 200
    thief = world.browser()
    assert thief.logs_in(person, password=NEW).location == "/identity/"
    warning = next(t for t in world.texts(person.phone) if "停止码" in t)
    code = re.search(r"停止码(\w{5}-\w{5})", warning)[1]
    assert world.browser().fills("/identity/recovery/stop", code="22222-22222").status_code == 422
    assert world.browser().fills("/identity/recovery/stop", code=code).status_code == 200
    assert thief.authorize().location.startswith("/identity/login")
    assert thief.logs_in(person, password=NEW).location == "/identity/phone-code"
    assert world.browser().fills("/identity/recovery/stop", code=code).status_code == 422


def sets_questions(world, person):
    token = world.token_of(person)
    answers = [{"question": q, "answer": a} for q, a in ANSWERS.items()]
    body = {"current_password": person.password, "answers": answers}
    done = world.browser().api("PUT", "/me/security-questions", body, token=token)
    assert done.status_code == 204, done.text


def asks_questions(world, browser, login_name, phone):
    path = f"{PASSWORDS}/questions"
    code = code_for(world, browser, path, phone)
    return browser.fills(path, login_name=login_name, phone=phone, sms_code=code)


def answers_questions(browser, page, answers, password=NEW):
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    typed = {f"answer_{place}": said for place, said in enumerate(answers)}
    return browser.post(f"{PASSWORDS}/questions/answers", hidden | typed | both(password))


@pytest.mark.req("ID-12", "ID-16", "I2")
def test_three_answers_and_the_phone_reset_a_password(world, person):
    sets_questions(world, person)
    with world.app.database.reading() as db:
        rows = db.connection().exec_driver_sql("SELECT a::text FROM security_answer a").scalars()
        kept = "\n".join(rows)
        assert "赵老师" not in kept
        assert kept.count("$argon2id$") == 3
    browser = world.browser()
    page = asks_questions(world, browser, person.login_name, person.phone)
    shown = re.findall(r'<label for="answer_\d">([^<]+)</label>', page.text)
    assert shown == [QUESTIONS[code] for code in ANSWERS]
    wrong = answers_questions(browser, page, ["赵老师", "番茄炒蛋", "广州"])
    assert (wrong.status_code, "与账号不符" in wrong.text) == (422, True)
    right = answers_questions(browser, page, [" 赵老师 ", "番茄 炒蛋", "韶关！"])
    assert right.status_code == 200, html.unescape(right.text)
    assert world.browser().logs_in(person, password=NEW).status_code == 303


@pytest.mark.req("ID-12", "ID-16")
def test_questions_are_never_enough_alone_and_tell_nothing_of_who_has_any(world, person):
    sets_questions(world, person)
    browser = world.browser()
    stolen = {"proof": "00" * 40, "answer_0": "赵老师", "answer_1": "番茄炒蛋", "answer_2": "韶关"}
    page = browser.get(f"{PASSWORDS}/questions")
    token = re.search(r'form_token" value="(\w+)"', page.text)[1]
    path = f"{PASSWORDS}/questions/answers"
    assert browser.post(path, stolen | both() | {"form_token": token}).status_code == 400
    # With a phone of one's own, another person's name shows questions that are not theirs.
    mine = "13911114444"
    page = asks_questions(world, browser, person.login_name, mine)
    shown = re.findall(r'<label for="answer_\d">([^<]+)</label>', page.text)
    assert len(set(shown)) == 3
    assert answers_questions(browser, page, list(ANSWERS.values())).status_code == 422
    world.clock.advance(minutes=2)
    again = asks_questions(world, browser, person.login_name, mine)
    assert re.findall(r'<label for="answer_\d">([^<]+)</label>', again.text) == shown
    assert world.browser().logs_in(person).status_code == 303


@pytest.mark.req("ID-16")
@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([("first-teacher", "赵老师")] * 3, "questions-not-different"),
        ([("first-teacher", "赵"), *list(ANSWERS.items())[1:]], "answer-length"),
        ([("nothing", "赵老师"), *list(ANSWERS.items())[1:]], "question-unknown"),
        ([("first-teacher", "韶关"), *list(ANSWERS.items())[1:]], "answer-given-away"),
    ],
)
def test_questions_that_are_none_are_refused_by_place(world, person, answers, code):
    token = world.token_of(person)
    told = [{"question": q, "answer": a} for q, a in answers]
    body = {"current_password": person.password, "answers": told}
    refused = world.browser().api("PUT", "/me/security-questions", body, token=token)
    assert (refused.status_code, refused.json["code"]) == (422, "security-questions-refused")
    assert code in {e["code"] for e in refused.json["errors"]}


@pytest.mark.req("ID-12")
def test_a_locked_account_is_not_opened_by_a_recovery(world, person):
    from identity.accounts.model import Account

    with world.app.database.transaction() as db:
        db.get_one(Account, person.id).standing = "locked"
    typed = {"login_name": person.login_name, "document_number": person.document_number}
    answer = recovers(world, f"{PASSWORDS}/phone", typed | both(), phone=person.phone)
    assert (answer.status_code, "已被锁定" in answer.text) == (422, True)


@pytest.mark.req("ID-12", "AL-01")
def test_every_empty_box_is_named_at_once(world):
    page = world.browser().fills(f"{PASSWORDS}/bank-card")
    assert page.status_code == 422
    assert len(re.findall(r'<p class="wrong"', page.text)) == 9
    assert "请选择证件类型" in page.text
    case = world.browser().fills("/identity/recovery/photos/unit-password")
    assert (case.status_code, case.text.count('<p class="wrong"')) == (422, 6)
