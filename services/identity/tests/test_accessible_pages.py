"""Every page we serve, as people meet it, through axe-core: keyboards, screen readers, phones."""

import io
import json
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pyotp
import pytest
from flask import template_rendered
from PIL import Image
from sqlalchemy import update

import identity
from identity.accounts.model import Acceptance, Account
from identity.adapters.agents import Part
from identity.adapters.employer_auth import ActingUnit
from identity.passwords import actions as passwords
from servicekit.testing.node import NODE, unpacked

HERE = Path(__file__).parent / "axe"
WHOLE = re.compile(r"{% extends ")
LAYOUTS = {"layout.html", "desk-layout.html"}
VISITORS = (
    "", "login", "login/sms", "login/passkey", "register", "register-unit", "recovery", "logout",
    "recovery/login-name/phone", "recovery/login-name/bank-card", "recovery/password/phone",
    "recovery/password/questions", "recovery/password/bank-card", "recovery/status",
    "recovery/photos/person-password", "recovery/photos/unit-password", "recovery/stop",
    "agreements/user-agreement", "authorize?client_id=nobody", "proof",
)  # fmt: skip
PERSONS = (
    "", "security", "security/password", "security/passkeys", "security/authenticator",
    "security/questions", "security/cancellation", "units", "agents", "agents/b-1", "consents",
    "raise", "logout",
    "raise?acr_values=urn:gdprov:ial:5", "raise/bank-card", "raise/channel/face",
    "continue/00000000-0000-0000-0000-000000000000",
)  # fmt: skip
UNITS = ("", "security", "raise", "raise/legal-person-base", "unit", "agents", "agents/b-1")
ADMINS = ("desk", "desk/accounts", "desk/duplicates", "desk/officers", "desk/clients")
EMPTY_FORMS = (
    "login", "login/sms", "register", "register-unit", "recovery/password/phone",
    "recovery/password/questions", "recovery/photos/unit-password", "recovery/status",
)  # fmt: skip
FORMS_OF_PERSONS = ("raise/bank-card", "security/password", "security/questions")


class Collector:
    """Every page that was opened: of each template the one with most on it, with mistakes first."""

    def __init__(self, world):
        self.world, self.pages, self.ranks = world, {}, {}
        self.drawn = []
        template_rendered.connect(self._note, world.app)

    def _note(self, _app, template, **_):
        self.drawn.append(template.name)

    def _keep(self, name, rank, text):
        if rank > self.ranks.get(name, (0, 0)):
            self.ranks[name], self.pages[name] = rank, text

    def browser(self):
        """A browser whose every page is kept."""
        browser = self.world.browser()
        plain = browser.client.open

        def opens(*args, **more):
            self.drawn.clear()
            answer = plain(*args, **more)
            if self.drawn and answer.mimetype == "text/html":
                self._keep(self.drawn[0], (answer.status_code, len(answer.text)), answer.text)
            return answer

        browser.client.open = opens
        return browser


@pytest.fixture
def kept(world):
    return Collector(world)


def visits(browser, paths):
    for path in paths:
        browser.get(f"/identity/{path}")


def sends_nothing(browser, paths):
    for path in paths:
        assert browser.fills(f"/identity/{path}").status_code in {401, 422}, path


def hidden(page):
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def code_of(world, phone):
    return re.search(r"\d{6}", world.texts(phone)[0])[0]


def photograph():
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (120, 80, 60)).save(out, "JPEG")
    return io.BytesIO(out.getvalue()), "a.jpg"


def as_visitor(kept):
    browser = kept.browser()
    visits(browser, VISITORS)
    sends_nothing(browser, EMPTY_FORMS)
    for channel in ("social-card", "net-bank-certificate"):
        browser.get(browser.get(f"/identity/login/channel/{channel}").location)


def as_person(kept, person, partner):
    browser = kept.browser().signs_in(person)
    visits(browser, PERSONS)
    sends_nothing(browser, FORMS_OF_PERSONS)
    system = partner()
    system.browser = browser
    browser.fills(system.goes(**system.asks()).location, decision="allow")
    visits(browser, ["consents"])
    page = browser.get("/identity/security/authenticator")
    secret = re.search(r'class="secret">(\w+)<', page.text)[1]
    code = pyotp.TOTP(secret).at(kept.world.clock.now())
    own = {"code": code, "current_password": person.password}
    browser.fills("/identity/security/authenticator", **own)
    visits(browser, ["security", "security/authenticator"])
    again = kept.browser()
    again.get(again.logs_in(person).location)
    again.fills("/identity/totp", code="000000")
    browser.fills("/identity/security/cancellation", current_password=person.password)
    visits(browser, ["security/cancellation"])
    browser.fills("/identity/logout")


def as_newcomer(kept):
    """Registers, owes this and that at the next logins, and forgets the name and the password."""
    world, browser = kept.world, kept.browser()
    form = world.form()
    page = browser.get("/identity/register")
    sent = form | {"agreed": "yes", "agreements": ""} | hidden(page)
    browser.post("/identity/register/code", sent)
    sent["sms_code"] = code_of(world, form["phone"])
    assert browser.post("/identity/register", sent).status_code == 201
    person = world.registers()
    with world.app.database.transaction() as db:
        theirs = update(Acceptance).where(Acceptance.account_id == person.id)
        db.execute(theirs.where(Acceptance.agreement == "privacy-policy").values(version="2025-01"))
    browser.get(browser.logs_in(person).location)
    distrusted = world.registers()
    with world.app.database.transaction() as db:
        passwords.distrust(db, db.get_one(Account, distrusted.id), now=world.clock.now())
    browser.get(browser.logs_in(distrusted).location)
    newly = world.registers()
    with world.app.database.transaction() as db:
        db.get_one(Account, newly.id).must_change_password = True
    browser.get(browser.logs_in(newly).location)
    browser.fills("/identity/new-password", password="x", password_again="y")
    forgets(kept, browser, world.registers())


def forgets(kept, browser, person):
    world = kept.world
    new = dict.fromkeys(("password", "password_again"), "Hb2026rsW")

    def proved(path):
        world.clock.advance(minutes=2)
        page = browser.get(path)
        browser.post(f"{path}/code", hidden(page) | {"phone": person.phone})
        return {"phone": person.phone, "sms_code": code_of(world, person.phone)}

    name = "/identity/recovery/login-name/phone"
    browser.fills(name, **proved(name))
    own = {"login_name": person.login_name}
    questions = "/identity/recovery/password/questions"
    browser.fills(questions, **proved(questions), **own)
    password = "/identity/recovery/password/phone"
    own |= {"document_number": person.document_number}
    browser.fills(password, **proved(password), **own, **new)
    assert "密码已重设" in kept.pages["recovery-password-done.html"]


def as_unit(kept, simulators):
    """Registers step by step; comes by the province too, unknown here."""
    world, browser = kept.world, kept.browser()
    agent = world.proves(world.registers())
    asked = {"login_name": agent.login_name, "document_number": agent.document_number}
    second = browser.fills("/identity/register-unit", **asked).location
    page = browser.get(second)
    browser.post("/identity/register-unit/code", hidden(page))
    form = world.unit_form() | {"agreements": "", "sms_code": code_of(world, agent.phone)}
    assert browser.fills(second).status_code == 422
    assert browser.fills(second, **form, agreed="yes").status_code == 201
    with world.app.database.transaction() as db:
        found = db.query(Account).filter_by(kind="unit").one()
        found.level = 3
    browser.signs_in(SimpleNamespace(**form))
    visits(browser, UNITS)
    browser.fills("/identity/unit", name="", legal_name="x")
    sends_nothing(browser, ["agents"])
    login, other = f"gd_axe_{id(kept) % 10**8}", world.unit_form()
    facts = {"name": other["name"], "number": other["certificate_number"], "phone": ""}
    accounts = simulators.app.province.accounts
    assert accounts.open(login, "Abcd123!", kind="unit", level=4, **facts)
    stranger = kept.browser()
    path = stranger.get("/identity/login/channel/province").location.removeprefix(simulators.url)
    typed = {"login_name": login, "password": "Abcd123!"}
    outside = simulators.app.test_client()
    sent = outside.post(path, data=typed, base_url=simulators.url)
    back = stranger.get(sent.location.removeprefix("http://127.0.0.1:8080"))
    first = stranger.get(back.location).location
    stranger.get(stranger.fills(first, **asked).location)


def by_telephone(kept, simulators, person):
    """Scans: a raise that is proved, one that is refused, and a first login."""
    world, phone = kept.world, simulators.app.test_client()

    def scans(browser, path, **said):
        page = browser.get(path)
        seen = re.search(rf'href="({re.escape(simulators.url)}[^"]+)"[^>]*>打开模拟', page.text)[1]
        number = re.search(r'class="confirm">(\d\d)<', page.text)[1]
        answer = {"decision": "confirm", "confirm": number} | said
        phone.get(seen.removeprefix(simulators.url))
        phone.post(seen.removeprefix(simulators.url), data=answer)
        world.clock.advance(seconds=3)
        return browser.get("/identity/proof")

    browser, face = kept.browser().signs_in(person), "/identity/raise/channel/face"
    began = browser.fills(face, consent="2026-01")
    scans(browser, began.location, outcome="liveness")
    scans(browser, browser.get(face).location, outcome="pass")
    visits(browser, ["raise", "raise?acr_values=urn:gdhrss:ial:2"])
    new = {"name": "白谷雨", "number": "440106199202020023", "phone": "13800009999"}
    stranger = kept.browser()
    card = "/identity/login/channel/social-card"
    first = scans(stranger, stranger.get(card).location, **new)
    stranger.fills(first.location)


BINDING = {
    "id": "b-1", "unit_name": "广州示例科技有限公司", "uscc": "914403001922038216",
    "person_name": "林**", "login_name": "l*****", "via": {"name": "广州示例人力资源有限公司"},
    "state": "active", "state_label": "已绑定", "reasons": [{"text": "单位账号已冻结"}],
    "valid_until": None, "created_at": "2026-11-20T17:00:00+00:00", "bound_at": None,
    "expires_at": "2026-12-20T17:00:00+00:00", "ended_at": None, "open_moves": ["leave"],
}  # fmt: skip
GRANT = {
    "title": "招聘岗位", "action_labels": ["查看"], "region_name": "天河区",
    "valid_from": "2026-11-21", "valid_until": "2027-11-20", "in_force": False,
}  # fmt: skip


class Bound:
    """employer-auth, where everybody may act for one unit."""

    def list_units(self, _token):
        return [ActingUnit("u-1", "b-1", "广州示例科技有限公司", "914403001922038216", None)]

    def list_bindings(self, _token, _side, *, cursor):
        return Part([BINDING], "next")

    def show(self, _token, _side, _binding_id):
        return BINDING, [GRANT]


def with_photographs(kept, person):
    """A case from the form to the desk."""
    world, browser = kept.world, kept.browser()
    path, phone = "/identity/recovery/photos/person-password", "13911115555"
    browser.post(f"{path}/code", hidden(browser.get(path)) | {"phone": phone})
    said = {
        "contact_name": person.name,
        "document_type": person.document_type,
        "document_number": person.document_number,
        "login_name": person.login_name,
        "region": "440106",
    }
    browser.fills(path, phone=phone, sms_code=code_of(world, phone), **said)
    page = browser.get("/identity/recovery/files")
    browser.post("/identity/recovery/files", hidden(page))
    files = {kind: photograph() for kind in ("id-front", "id-back", "id-held")}
    filed = browser.post("/identity/recovery/files", hidden(page) | files | {"consent": "2026-01"})
    number, code = re.findall(r'class="secret">([\w-]+)<', filed.text)
    browser.fills("/identity/recovery/status", number=number, code=code)
    officer = world.officer("reviewer", businesses=("identity.person-recovery",))
    desk = kept.browser().signs_in(officer, world.clock)
    queue = "/identity/desk/person-recoveries"
    case = re.search(rf'href="({queue}/[0-9a-f-]+)"', desk.get(queue).text)[1]
    claimed = desk.post(f"{case}/claim", hidden(desk.get(case)))
    assert claimed.status_code == 200
    desk.post(f"{case}/return", hidden(desk.get(case)))


def at_the_desk(kept, person, partner):
    world, admin = kept.world, kept.world.officer("admin", region="44")
    world.takes_in(person)
    world.serial += 1
    system, colleague = partner(), world.officer("reviewer")
    browser = kept.browser().signs_in(admin, world.clock)
    visits(browser, ADMINS)
    named = {"by": "login_name", "value": person.login_name}
    found = browser.fills("/identity/desk/accounts", **named)
    assert person.id in found.text, found.text
    pages = f"accounts/{person.id}", f"officers/{colleague.id}", f"clients/{system.id}"
    visits(browser, [f"desk/{each}" for each in pages])
    browser.fills("/identity/desk/officers")
    browser.fills("/identity/desk/clients")
    kept.browser().signs_in(person).get("/identity/desk")


@pytest.fixture
def checked():
    """What axe-core says of pages; nothing where all is well."""
    modules = unpacked(HERE)

    def check(pages):
        told = "".join(json.dumps({"name": n, "html": h}) + "\n" for n, h in pages.items())
        command = [NODE, "axe.mjs"]
        done = subprocess.run(
            command, input=told, cwd=modules, capture_output=True, text=True, timeout=60, check=True
        )
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(pages)
        return {each["name"]: each["found"] for each in answers if each["found"]}

    return check


@pytest.mark.slow
@pytest.mark.req("I6", "PRT-03")
def test_axe_finds_nothing_wrong_with_any_page(kept, world, partner, simulators, checked):
    for name in ("employer_auth", "agents"):
        object.__setattr__(world.app.extensions["identity"], name, Bound())
    as_visitor(kept)
    person = world.registers()
    as_person(kept, person, partner)
    as_newcomer(kept)
    as_unit(kept, simulators)
    proved = world.proves(world.registers())
    by_telephone(kept, simulators, world.registers())
    with_photographs(kept, proved)
    at_the_desk(kept, proved, partner)
    ours = Path(identity.__file__).parent.rglob("templates/*.html")
    whole = {each.name for each in ours if WHOLE.search(each.read_text())} - LAYOUTS
    assert whole - kept.pages.keys() == set(), "nobody opened these"
    assert checked(kept.pages) == {}
    bad = '<!doctype html><html lang="zh-CN"><title>x</title><main><h1>x</h1><input><img src="/x">'
    assert {each["rule"] for each in checked({"bad": bad})["bad"]} >= {"label", "image-alt"}


def luminance(colour):
    """Of #rgb or #rrggbb (WCAG 2, relative luminance)."""
    digits = colour.strip("#")
    digits = "".join(each * 2 for each in digits) if len(digits) == 3 else digits
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    ]
    return sum(a * b for a, b in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


TEXT, EDGES = 4.5, 3.0  # WCAG 1.4.3, 1.4.11
COLOURS = [
    ("ink", "paper", TEXT), ("ink", "ground", TEXT), ("ink", "#e5edf7", TEXT),
    ("soft", "paper", TEXT), ("soft", "ground", TEXT),
    ("blue-dark", "paper", TEXT), ("blue-dark", "ground", TEXT), ("blue-dark", "#ffbf47", EDGES),
    ("paper", "blue", TEXT), ("paper", "blue-dark", TEXT),
    ("red", "paper", TEXT), ("red", "ground", TEXT), ("red", "#fbe3e1", TEXT),
    ("line", "paper", EDGES), ("#1e6b3a", "ground", EDGES),
]  # fmt: skip


@pytest.mark.parametrize(("front", "back", "least"), COLOURS)
def test_colours_can_be_told_apart(front, back, least):
    sheet = (Path(identity.__file__).parent / "sign_in" / "pages.css").read_text()
    named = dict(re.findall(r"--([\w-]+): (#\w+);", sheet.split("}", 1)[0]))
    light, dark = sorted((luminance(named.get(each, each)) for each in (front, back)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least
    assert all(each in sheet for each in (front, back))
