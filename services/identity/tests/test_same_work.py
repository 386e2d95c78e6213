"""Known and unknown cost the same (ID-08, ID-18): hashes and statements, not seconds."""

import dataclasses
import io
import re
from collections import Counter

import pytest
from PIL import Image
from sqlalchemy import event

from identity.hashing import Hasher
from identity.parts import KEY


class CountingHasher(Hasher):
    """The same hasher, that says how often it worked."""

    worked = 0

    def verify(self, stored, password):
        self.worked += 1
        return super().verify(stored, password)

    def hash(self, password):
        self.worked += 1
        return super().hash(password)


@pytest.fixture
def work(world):
    """Runs something and tells what it cost: hashes, and statements by their kind."""
    own = world.app.extensions[KEY]
    hasher = CountingHasher(memory_kib=64, time_cost=1)
    world.app.extensions[KEY] = dataclasses.replace(own, hasher=hasher)
    said = []

    def note(connection, cursor, statement, *_):
        said.append(re.sub(r"\s+", " ", statement)[:60])

    engines = [own.counts.database.engine, world.app.database.engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)

    def measure(act):
        said.clear()
        before = hasher.worked
        status = act()
        return status, hasher.worked - before, Counter(said)

    yield measure
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def person(world):
    made = world.registers()
    world.clock.advance(minutes=2)
    return made


@pytest.mark.req("ID-08")
def test_a_wrong_password_costs_what_an_unknown_name_costs(world, person, work):
    def tries(name):
        browser = world.browser()
        browser.get("/identity/login")
        typed = {"login_name": name, "password": "Wrong2024x"}
        return work(lambda: browser.fills("/identity/login", **typed).status_code)

    tries("warm_up_first")  # what is done once per process is nobody's
    known, unknown = tries(person.login_name), tries("nobody_here")
    assert known == unknown
    assert known[:2] == (401, 1)


@pytest.mark.req("ID-09", "ID-18")
def test_asking_for_a_code_costs_the_same_for_a_known_and_an_unknown_phone(world, person, work):
    def asks(phone):
        body = {"phone": phone, "purpose": "sign-in"}
        return work(lambda: world.browser().api("POST", "/sms-codes", body).status_code)

    asks("13911110000")
    known, unknown = asks(person.phone), asks("13911112222")
    assert known == unknown
    assert known[:2] == (202, 0)


@pytest.mark.req("ID-12", "ID-16")
def test_answers_are_hashed_three_times_for_everybody(world, person, work):
    from identity.security_questions import actions

    hasher = world.app.extensions[KEY].hasher

    def answers(account_id):
        def act():
            with world.app.database.reading() as db:
                return actions.are_right(db, account_id, ["a", "b", "c"], hasher=hasher)

        return work(act)[:2]

    assert answers(person.id) == answers(None) == (False, 3)


@pytest.mark.req("ID-12", "ID-18")
def test_a_reset_costs_the_same_for_an_unknown_name_and_a_wrong_number(world, person, work):
    path = "/identity/recovery/password/phone"

    def tries(name, phone):
        browser = world.browser()
        page = browser.get(path)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        browser.post(f"{path}/code", hidden | {"phone": phone})
        code = re.search(r"\d{6}", world.texts(phone)[0])[0]
        typed = {
            "login_name": name,
            "document_number": "440106199001010012",
            "phone": phone,
            "sms_code": code,
            "password": "Hb2026rsW",
            "password_again": "Hb2026rsW",
        }
        return work(lambda: browser.fills(path, **typed).status_code)

    tries("warm_up_first", "13911110000")
    known, unknown = tries(person.login_name, "13911113333"), tries("nobody_here", "13911114444")
    assert known == unknown
    assert known[:2] == (422, 0)


@pytest.mark.req("ID-11", "ID-12", "ID-18")
def test_filing_photographs_costs_the_same_whether_or_not_there_is_an_account(
    world, person, work, tell
):
    path, files = "/identity/recovery/photos/person-login-name", "/identity/recovery/files"
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (120, 80, 60)).save(out, "JPEG")

    def hidden(page):
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))

    def tries(number, phone):
        browser = world.browser()
        browser.post(f"{path}/code", hidden(browser.get(path)) | {"phone": phone})
        typed = {
            "contact_name": person.name,
            "document_type": "resident-card",
            "document_number": number,
            "region": "440106",
            "phone": phone,
            "sms_code": re.search(r"\d{6}", world.texts(phone)[0])[0],
        }
        opened = work(lambda: browser.fills(path, **typed).status_code)
        sent = hidden(browser.get(files)) | {"consent": "2026-01"}
        kinds = ("id-front", "id-back", "id-held")
        sent |= {kind: (io.BytesIO(out.getvalue()), "a.jpg") for kind in kinds}
        return opened, work(lambda: browser.post(files, sent).status_code)

    tries("440106199202020023", "13911110000")
    known = tries(person.document_number, "13911113333")
    unknown = tries(tell.resident_number("44010619930303003"), "13911114444")
    assert known == unknown
    assert (known[0][0], known[1][0]) == (303, 200)
    world.job("warn-old-phones")
    assert "停止码" in world.texts(person.phone)[0]
