"""Second factors of persons (ID-46): authenticator, recovery codes, passkeys."""

import base64
import hashlib
import html
import json
import re
import secrets
from typing import Any

import cbor2
import pyotp
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PUBLIC = "http://127.0.0.1:8080"
USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Device:
    """A passkey on a device in software: made and used as WebAuthn says."""

    def __init__(self, origin: str, host: str) -> None:
        self.origin, self.host = origin, host
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(32)
        self.count = 0
        self.flags = USER_PRESENT | USER_VERIFIED

    def create(self, options: dict[str, Any]) -> str:
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        length = len(self.credential_id).to_bytes(2, "big")
        data = self._data(ATTESTED) + bytes(16) + length + self.credential_id + cose
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options)
        return self._credential({"attestationObject": url64(made), "clientDataJSON": url64(client)})

    def get(self, options: dict[str, Any]) -> str:
        self.count += 1
        data, client = self._data(0), self._client("webauthn.get", options)
        signed = data + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        answer = {"authenticatorData": data, "clientDataJSON": client, "signature": signature}
        return self._credential({name: url64(raw) for name, raw in answer.items()})

    def _data(self, more: int) -> bytes:
        flags = bytes([self.flags | more])
        return hashlib.sha256(self.host.encode()).digest() + flags + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(told | {"crossOrigin": False}).encode()

    def _credential(self, response: dict[str, str]) -> str:
        own = url64(self.credential_id)
        made = {"id": own, "rawId": own, "type": "public-key", "response": response}
        return json.dumps(made | {"clientExtensionResults": {}})


@pytest.fixture
def person(world):
    return world.registers()


def options_of(page):
    return json.loads(html.unescape(re.search(r'data-options="([^"]*)"', page.text)[1]))


def turns_on(world, browser, person):
    page = browser.get("/identity/security/authenticator")
    secret = re.search(r'class="secret">(\w+)<', page.text)[1]
    totp = pyotp.TOTP(secret)
    done = browser.fills(
        "/identity/security/authenticator",
        code=totp.at(world.clock.now()),
        current_password=person.password,
    )
    assert done.status_code == 200, done.text
    return totp, re.findall(r"<li>(\w{5}-\w{5})</li>", done.text)


def adds(browser, person, device, **changes):
    path = "/identity/security/passkeys"
    answer = device.create(options_of(browser.get(path)))
    typed = {"label": "我的手机", "current_password": person.password, "credential": answer}
    return browser.fills(path, **typed | changes)


def passkey_login(browser, device, **more):
    path = "/identity/login/passkey"
    page = browser.get(path)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    answer = more.get("credential") or device.get(more.get("options") or options_of(page))
    return browser.post(path, hidden | {"credential": answer})


@pytest.mark.req("ID-46")
def test_a_person_turns_an_authenticator_on_and_is_asked_for_its_code(world, person):
    browser = world.browser().signs_in(person)
    wrong = browser.fills(
        "/identity/security/authenticator", code="000000", current_password=person.password
    )
    assert wrong.status_code == 422
    totp, codes = turns_on(world, browser, person)
    assert len(set(codes)) == 10
    assert any("两步验证" in text for text in world.texts(person.phone))
    world.clock.advance(minutes=1)
    other = world.browser()
    assert other.logs_in(person).location == "/identity/totp"
    assert other.authorize().location.startswith("/identity/login")
    code = totp.at(world.clock.now())
    assert other.fills("/identity/totp", code=code).location == "/identity/"
    token = other.tokens()["access_token"]
    sessions = other.api("GET", "/me/sessions", token=token).json["items"]
    assert next(s for s in sessions if s["current"])["methods"] == ["pwd", "otp"]
    again = world.browser()
    again.logs_in(person)
    assert again.fills("/identity/totp", code=code).status_code == 401  # seen once already


@pytest.mark.req("ID-46")
def test_a_recovery_code_stands_in_once_and_is_kept_hashed(world, person):
    browser = world.browser().signs_in(person)
    _, codes = turns_on(world, browser, person)
    plain = codes[0].replace("-", "")
    with world.app.database.reading() as db:
        rows = db.connection().exec_driver_sql("SELECT c::text FROM recovery_code c").scalars()
        kept = "\n".join(rows)
        assert plain not in kept
        assert plain.encode().hex() not in kept
    answers = []
    for typed in (codes[0].upper(), codes[0]):
        other = world.browser()
        assert other.logs_in(person).location == "/identity/totp"
        answers.append(other.fills("/identity/totp", code=typed).status_code)
    assert answers == [303, 401]
    assert any("备用码" in text for text in world.texts(person.phone))


@pytest.mark.req("ID-46")
def test_new_recovery_codes_and_turning_it_off_need_the_password(world, person):
    browser = world.browser().signs_in(person)
    _, codes = turns_on(world, browser, person)
    path = "/identity/security/authenticator"
    page = browser.get(path)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    refused = browser.post(f"{path}/off", hidden | {"current_password": "Wrong2024x"})
    assert refused.status_code == 422
    fresh = browser.post(f"{path}/codes", hidden | {"current_password": person.password})
    assert not set(codes) & set(re.findall(r"<li>(\w{5}-\w{5})</li>", fresh.text))
    other = world.browser()
    other.logs_in(person)
    assert other.fills("/identity/totp", code=codes[1]).status_code == 401
    assert browser.post(f"{path}/off", hidden | {"current_password": person.password}).location
    assert world.browser().logs_in(person).location == "/identity/"


@pytest.mark.req("ID-46")
def test_a_passkey_is_added_and_signs_in_without_password_and_second_factor(world, person):
    browser, device = world.browser().signs_in(person), Device(PUBLIC, "127.0.0.1")
    turns_on(world, browser, person)
    assert adds(browser, person, device).location == "/identity/security?done=passkey"
    assert "我的手机" in browser.get("/identity/security").text
    other = world.browser()
    assert passkey_login(other, device).location == "/identity/"
    token = other.tokens()["access_token"]
    assert other.api("GET", "/me", token=token).json["id"] == person.id
    seen = other.api("GET", "/me/logins", token=token).json["items"][0]
    assert (seen["way"], seen["outcome"]) == ("passkey", "signed-in")


@pytest.mark.req("ID-46")
@pytest.mark.parametrize(
    "wrong", ["origin", "host", "unverified", "stranger", "replay", "copied", "nonsense"]
)
def test_a_passkey_that_is_not_right_signs_nobody_in(world, person, wrong):
    browser, device = world.browser().signs_in(person), Device(PUBLIC, "127.0.0.1")
    adds(browser, person, device)
    other, more = world.browser(), {}
    if wrong == "origin":
        device.origin = "https://phish.example"
    elif wrong == "host":
        device.host = "phish.example"
    elif wrong == "unverified":
        device.flags = USER_PRESENT
    elif wrong == "stranger":
        device = Device(PUBLIC, "127.0.0.1")
    elif wrong == "nonsense":
        more["credential"] = "{}"
    else:
        options = options_of(other.get("/identity/login/passkey"))
        device.count = 5
        assert passkey_login(other, device, options=options).status_code == 303
        other = world.browser()
        if wrong == "replay":
            more["options"] = options
        device.count -= 3 if wrong == "copied" else 0
    assert passkey_login(other, device, **more).status_code == 401
    assert other.authorize().location.startswith("/identity/login")


@pytest.mark.req("ID-46")
def test_adding_a_passkey_needs_the_password_and_a_name(world, person):
    browser, device = world.browser().signs_in(person), Device(PUBLIC, "127.0.0.1")
    assert adds(browser, person, device, current_password="Wrong2024x").status_code == 422
    assert adds(browser, person, device, label=" ").status_code == 422
    assert adds(browser, person, device).status_code == 303
    assert adds(browser, person, device).status_code == 422  # the same again
    page = browser.get("/identity/security").text
    path = re.search(r'action="(/identity/security/passkeys/[^"]+/remove)"', page)[1]
    token = re.search(r'name="form_token" value="(\w+)"', page)[1]
    thief = world.browser().signs_in(world.registers())
    stolen = re.search(r'form_token" value="(\w+)"', thief.get("/identity/login").text)[1]
    assert thief.post(path, {"form_token": stolen}).status_code == 404
    assert browser.post(path, {"form_token": token}).status_code == 303
    assert passkey_login(world.browser(), device).status_code == 401


@pytest.mark.req("ID-46")
def test_the_portal_reads_what_is_on_and_forgets_a_passkey(world, person):
    browser, device = world.browser().signs_in(person), Device(PUBLIC, "127.0.0.1")
    turns_on(world, browser, person)
    adds(browser, person, device)
    token, path = browser.tokens()["access_token"], "/me/second-factors"
    seen = browser.api("GET", path, token=token).json
    assert (seen["authenticator"], seen["recovery_codes"]) == (True, 10)
    passkey = seen["passkeys"][0]
    assert passkey["label"] == "我的手机"
    other = world.token_of(world.registers())
    gone = f"{path}/passkeys/{passkey['id']}"
    assert browser.api("DELETE", gone, token=other).status_code == 404
    assert browser.api("DELETE", gone, token=token).status_code == 204
    assert browser.api("GET", path, token=token).json["passkeys"] == []


@pytest.mark.req("ID-46")
def test_the_script_is_one_file_named_by_hash_and_only_where_it_is_needed(world, person):
    page = world.browser().get("/identity/login/passkey")
    policy = page.headers["Content-Security-Policy"]
    assert f"script-src {PUBLIC}/identity/passkeys.js;" in policy
    assert re.search(
        r'<script src="/identity/passkeys.js" integrity="sha384-[^"]+" defer>', page.text
    )
    assert "<script>" not in page.text
    assert "noscript" in page.text
    assert world.browser().get("/identity/passkeys.js").status_code == 200
    assert (
        "script-src"
        not in world.browser().get("/identity/login").headers["Content-Security-Policy"]
    )
