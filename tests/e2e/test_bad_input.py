"""What is sent wrongly: a Chinese problem document with its code, and nothing half-written."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import Browser, UnexpectedError
from fictional import employment_of, invent, resident_number, wrong_check_digit
from joserfc import jwt
from joserfc.jwk import ECKey
from life import FILED, IDENTITY, REVIEWS, Life
from signing_in import log_in
from under_test import Running, assert_problem, wrong_fields

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e-local")]
REGISTRATIONS = f"{IDENTITY}/registrations"


@pytest.fixture
def life(on_local_bus: Running) -> Life:
    return on_local_bus.new_life()


@pytest.fixture
def proved(life: Life) -> Life:
    """A person of level 2 who is logged in."""
    life.registers()
    life.logs_in()
    life.rises_to_level_2()
    return life


@pytest.fixture
def submitted(proved: Life) -> Life:
    """Their application waits in the queue; the officer of the region is logged in."""
    proved.saves_a_draft()
    proved.submits()
    proved.officer_logs_in()
    return proved


def test_every_wrong_field_of_a_registration_at_once(life: Life) -> None:
    born_tomorrow = resident_number(date(2999, 1, 1), 5)
    form = life.registration("000000") | {
        "document_number": born_tomorrow,
        "login_name": "1x",
        "password": "123456",
        "password_again": "654321",
        "phone": "12345",
        "agreements": [],
    }
    answer = life.citizen.api("POST", REGISTRATIONS, form)
    wrong = wrong_fields(assert_problem(answer, 422, "registration-refused"))
    assert {
        "/document_number",
        "/login_name",
        "/password",
        "/password_again",
        "/phone",
        "/sms_code",
        "/agreements",
    } <= wrong.keys()


def test_a_wrong_check_digit_uses_up_nothing(life: Life) -> None:
    code = life.sms_code(life.citizen, life.person.phone, "registration")
    form = life.registration(code)
    wrong = form | {"document_number": wrong_check_digit(form["document_number"])}
    answer = life.citizen.api("POST", REGISTRATIONS, wrong)
    assert wrong_fields(assert_problem(answer, 422)) == {
        "/document_number": "identifier-check-digit"
    }
    with pytest.raises(UnexpectedError):
        log_in(Browser(life.gateway), life.person.login_name, life.person.password)
    life.citizen.api("POST", REGISTRATIONS, form, expect=201)  # the code was not used up


def test_taken_number_and_name_and_a_used_code(on_local_bus: Running, life: Life) -> None:
    life.registers()
    taken = life.person
    other = on_local_bus.new_life()
    code = other.sms_code(other.citizen, other.person.phone, "registration")
    form = other.registration(code)
    both = form | {"document_number": taken.document_number, "login_name": taken.login_name.upper()}
    answer = other.citizen.api("POST", REGISTRATIONS, both)
    problem = assert_problem(answer, 409)
    assert wrong_fields(problem).keys() == {"/document_number", "/login_name"}
    assert taken.document_number not in answer.text
    other.citizen.api("POST", REGISTRATIONS, form, expect=201)
    third = invent()
    again = form | {"document_number": third.document_number, "login_name": third.login_name}
    answer = other.citizen.api("POST", REGISTRATIONS, again)
    assert wrong_fields(assert_problem(answer, 422)) == {"/sms_code": "sms-code-wrong"}


def test_codes_may_not_be_asked_for_at_once_again(life: Life) -> None:
    life.sms_code(life.citizen, life.person.phone, "registration")
    body = {"phone": life.person.phone, "purpose": "registration"}
    answer = life.citizen.api("POST", f"{IDENTITY}/sms-codes", body)
    assert_problem(answer, 429, "too-many-sms-codes")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_the_same_key_is_the_same_request(proved: Life) -> None:
    body: dict[str, Any] = {"kind": "registration", "employment": employment_of(proved.person)}
    first = proved.citizen.api("POST", FILED, body, expect=201, key="one-wish-0001")
    again = proved.citizen.api("POST", FILED, body, expect=201, key="one-wish-0001")
    assert again.json == first.json
    other = body | {"employment": {}}
    answer = proved.citizen.api("POST", FILED, other, key="one-wish-0001")
    assert_problem(answer, 422, "idempotency-key-reused")
    assert_problem(proved.citizen.api("POST", FILED, body), 409, "application-open")
    mine = proved.citizen.api("GET", FILED, expect=200).json["items"]
    assert [row["id"] for row in mine] == [first.json["id"]]


def test_an_incomplete_application_is_not_submitted(proved: Life) -> None:
    draft = proved.citizen.api("POST", FILED, {"kind": "registration"}, expect=201).json
    answer = proved.citizen.api("POST", f"{FILED}/{draft['id']}/submit", {})
    wrong = wrong_fields(assert_problem(answer, 422, "application-incomplete"))
    filled_in = {"contact_phone"}  # with the account's
    assert wrong.keys() == {
        f"/employment/{n}" for n in employment_of(proved.person).keys() - filled_in
    }
    after = proved.citizen.api("GET", f"{FILED}/{draft['id']}", expect=200).json
    assert (after["state"], after["number"]) == ("draft", None)


def test_an_edit_of_what_changed_meanwhile_is_refused(proved: Life) -> None:
    proved.saves_a_draft()
    path = f"{FILED}/{proved.application['id']}"
    body = {"employment": {"occupation": "外卖配送"}}
    assert_problem(proved.citizen.api("PATCH", path, body), 428)
    stale = {"If-Match": '"1"'}
    assert_problem(proved.citizen.api("PATCH", path, body, headers=stale), 412)


def test_two_officers_at_once_decide_once(submitted: Life) -> None:
    second = Browser(submitted.gateway)
    second.cookies = dict(submitted.officer.cookies)
    path = f"{REVIEWS}/{submitted.application['id']}"

    def decide(browser: Browser, move: str) -> int:
        return browser.api(
            "POST", f"{path}/{move}", {"reason": "请补正"} if move == "return" else {}
        ).status

    with ThreadPoolExecutor(2) as two:
        waiting = [
            two.submit(decide, submitted.officer, "approve"),
            two.submit(decide, second, "return"),
        ]
        statuses = sorted(done.result() for done in waiting)
    assert statuses == [200, 409]
    history = submitted.officer.api("GET", f"{path}/history", expect=200).json
    assert len([entry for entry in history if entry["move"] in {"approve", "return"}]) == 1


def test_another_person_and_another_region_see_nothing(
    on_local_bus: Running, submitted: Life
) -> None:
    stranger = on_local_bus.new_life()
    stranger.registers()
    stranger.logs_in()
    stranger.rises_to_level_2()
    path = f"{FILED}/{submitted.application['id']}"
    assert_problem(stranger.citizen.api("GET", path), 404, "application-not-found")
    assert_problem(stranger.citizen.api("POST", f"{path}/submit", {}), 404)
    elsewhere = Browser(submitted.gateway)
    submitted.log_in_officer(elsewhere, "reviewer_nanshan")
    review = f"{REVIEWS}/{submitted.application['id']}"
    assert_problem(elsewhere.api("GET", review), 404, "application-not-found")
    assert_problem(elsewhere.api("POST", f"{review}/approve", {}), 404)
    assert submitted.in_queue(elsewhere) is None
    assert_problem(stranger.citizen.api("GET", review), 403)
    seen = submitted.citizen.api("GET", path, expect=200).json
    assert seen["state"] == "submitted"


def foreign_token(gateway: str, **changes: Any) -> str:
    """What an impostor would sign: right words, own key."""
    key = ECKey.generate_key("P-256", {"kid": "impostor"})
    now = int(time.time())
    claims = {
        "iss": f"{gateway}/identity",
        "aud": "urn:jiuye:api",
        "sub": "01890a5d-ac96-774b-bcce-b302099a8057",
        "sub_type": "person",
        "client_id": "jiuye-gateway",
        "sid": "x",
        "jti": "y",
        "iat": now,
        "exp": now + 300,
        "auth_time": now,
        "acr": "urn:gdhrss:ial:2",
        **changes,
    }
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "impostor"}
    return jwt.encode(header, claims, key, algorithms=["ES256"])


def unsigned_token(gateway: str) -> str:
    """`alg: none`, with the claims of somebody."""
    claims = foreign_token(gateway).split(".")[1]
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "at+jwt"}).encode())
    return f"{header.decode().rstrip('=')}.{claims}."


@pytest.mark.parametrize("kind", ["foreign", "expired", "unsigned", "nonsense", "none"])
def test_a_token_that_is_not_ours_opens_nothing(life: Life, kind: str) -> None:
    tokens = {
        "foreign": foreign_token(life.gateway),
        "expired": foreign_token(life.gateway, exp=int(time.time()) - 10),
        "unsigned": unsigned_token(life.gateway),
        "nonsense": "nonsense",
    }
    headers = {"Authorization": f"Bearer {tokens[kind]}"} if kind != "none" else {}
    answer = life.citizen.api("GET", f"{IDENTITY}/me", headers=headers)
    assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_tampered_cookie_opens_nothing(proved: Life) -> None:
    for name, value in proved.citizen.cookies.items():
        middle = len(value) // 2
        other = "A" if value[middle] != "A" else "B"
        proved.citizen.cookies[name] = value[:middle] + other + value[middle + 1 :]
    assert_problem(proved.citizen.api("GET", f"{IDENTITY}/me"), 401)


def test_another_site_cannot_use_the_cookie(proved: Life) -> None:
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = proved.citizen.api("POST", FILED, {"kind": "registration"}, headers=foreign)
    assert_problem(answer, 403)
    assert proved.citizen.api("GET", FILED, expect=200).json["items"] == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"this is no JSON", "application/json", 400),
        (b'{"phone": "1990', "application/json", 400),
        (b"phone=1", "application/x-www-form-urlencoded", 415),
        (b'["a list"]', "application/json", 422),
        (
            b'{"phone": "19900000066", "purpose": "registration", "more": 1}',
            "application/json",
            422,
        ),
        (b'{"phone": "19900000066", "purpose": "other"}', "application/json", 422),
        (b"{}", "application/json", 422),
    ],
)
def test_bodies_that_are_not_what_was_asked_for(
    life: Life, body: bytes, content_type: str, status: int
) -> None:
    headers = {"Content-Type": content_type, "Idempotency-Key": f"body-{time.monotonic_ns()}"}
    answer = life.citizen.raw("POST", f"{IDENTITY}/sms-codes", body, headers)
    problem = assert_problem(answer, status)
    if status == 422 and body.startswith(b"{"):
        assert wrong_fields(problem)


def test_ten_megabytes_are_too_much(life: Life) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "ten-megabytes"}
    body = b'{"phone": "' + b"1" * 10_000_000 + b'"}'
    assert_problem(life.citizen.raw("POST", f"{IDENTITY}/sms-codes", body, headers), 413)


def test_a_request_without_key_is_refused(life: Life) -> None:
    headers = {"Content-Type": "application/json"}
    answer = life.citizen.raw("POST", f"{IDENTITY}/sms-codes", b"{}", headers)
    assert_problem(answer, 400, "idempotency-key-missing")


def test_where_nothing_is_there_is_a_problem_too(proved: Life) -> None:
    assert_problem(proved.citizen.api("GET", f"{IDENTITY}/nothing"), 404)
    assert_problem(proved.citizen.api("GET", "/api/nowhere/v1/things"), 404)


def test_the_login_leads_to_no_foreign_place(life: Life) -> None:
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        answer = life.citizen._send(
            "GET", f"{life.gateway}/sso/login?return_to={target}", headers={}
        )
        where = urlsplit(answer.headers.get("Location", ""))
        assert where.netloc in {"", urlsplit(life.gateway).netloc}
        assert "evil" not in json.dumps(parse_qs(where.query))
