"""The bank-card check (ID-06, ID-07): every answer of the bank, its silence, and the limits."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.verification import rules
from identity.verification.rules import Scale

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture
def person(world):
    made = world.registers()
    made.token = world.token_of(made)
    return made


def check(world, person, card, *, key=None, code=None):
    if code is None:
        world.clock.advance(seconds=61)
        person.token = world.token_of(person)
        code = world.sms_code(person.phone, "bank-card-check", person.token)
    body = {"card_number": card, "phone": person.phone, "sms_code": code, "consent": "2026-01"}
    headers = {"Idempotency-Key": key} if key else {}
    path = "/me/bank-card-checks"
    return world.browser().api("POST", path, body, token=person.token, headers=headers)


def events(world):
    return [kind for kind, _ in world.events() if kind == "identity.account.verified.v1"]


@pytest.mark.req("ID-06", "ID-07", "B5")
def test_agreement_raises_the_level_once(world, person, tell):
    answer = check(world, person, tell.card("000"))
    assert answer.status_code == 201
    assert answer.json["level"] == 2
    assert answer.json["reference"]
    assert len(events(world)) == 1
    again = check(world, person, tell.card("000"))
    assert (again.status_code, again.json["code"]) == (409, "level-already-reached")
    assert len(events(world)) == 1


@pytest.mark.req("ID-06")
@pytest.mark.parametrize(
    ("magic", "code"),
    [
        ("01", "bank-card-different"),
        ("02", "bank-card-unknown"),
        ("03", "bank-card-unusable"),
        ("05", "bank-card-restricted"),
    ],
)
def test_each_no_of_the_bank_is_told_by_its_cause(world, person, tell, magic, code):
    answer = check(world, person, tell.card(magic))
    assert answer.status_code == 422
    assert answer.json["errors"][0]["code"] == code
    assert events(world) == []
    assert world.browser().api("GET", "/me", token=person.token).json["level"] == 1


@pytest.mark.req("ID-06", "PRT-07")
@pytest.mark.parametrize("magic", ["09", "53", "55"])
def test_the_banks_own_trouble_is_503_and_can_be_tried_again_with_the_same_key(
    world, person, tell, simulators, magic
):
    person.token = world.token_of(person)
    code = world.sms_code(person.phone, "bank-card-check", person.token)
    bad = check(world, person, tell.card(magic), key="one-key", code=code)
    assert (bad.status_code, bad.json["detail"]) == (503, "外厅局接口异常，请联系业务部门!")
    assert events(world) == []
    again = check(world, person, tell.card("000"), key="one-key", code=code)
    assert again.status_code == 201
    assert len(events(world)) == 1


@pytest.mark.req("ID-06")
def test_outages_are_not_counted_as_the_persons_errors(world, person, tell):
    for _ in range(4):
        assert check(world, person, tell.card("09")).status_code == 503
    assert check(world, person, tell.card("000")).status_code == 201


@pytest.mark.req("ID-06")
def test_three_errors_in_a_row_close_the_channel_for_twelve_hours(world, person, tell):
    for _ in range(3):
        assert check(world, person, tell.card("01")).status_code == 422
    closed = check(world, person, tell.card("000"))
    assert (closed.status_code, closed.json["code"]) == (429, "verification-closed")
    assert int(closed.headers["Retry-After"]) <= 12 * 3600
    world.clock.advance(hours=12)
    assert check(world, person, tell.card("000")).status_code == 201


@pytest.mark.req("ID-06", "ID-18")
def test_every_wrong_field_is_named_before_the_bank_is_asked(world, person):
    answer = check(world, person, "6222020000000000001", code="000000")
    assert {(e["field"], e["code"]) for e in answer.json["errors"]} == {
        ("/card_number", "identifier-check-digit"),
        ("/sms_code", "sms-code-wrong"),
    }
    answer = check(world, person, "", code="")
    assert [e["field"] for e in answer.json["errors"]] == ["/card_number", "/sms_code"]


@pytest.mark.req("ID-06")
def test_the_bank_is_asked_only_with_a_separate_consent_which_is_kept(world, person, tell):
    """个人信息保护法 29: not bundled with the agreements of the registration."""
    token = world.token_of(person)
    code = world.sms_code(person.phone, "bank-card-check", token)
    body = {"card_number": tell.card("000"), "phone": person.phone, "sms_code": code}

    def ask(**more):
        return world.browser().api("POST", "/me/bank-card-checks", body | more, token=token)

    for answer in (ask(), ask(consent="2025-01")):
        assert {(e["field"], e["code"]) for e in answer.json["errors"]} == {
            ("/consent", "consent-needed")
        }
    assert ask(consent="2026-01").status_code == 201
    kept = world.browser().api("GET", "/me/agreements", token=token).json["history"]
    assert "bank-card" in {each["agreement"] for each in kept}


@pytest.mark.req("ID-06")
def test_only_a_person_has_this_channel(world):
    officer = world.officer("reviewer")
    body = {"card_number": "1", "phone": "1", "sms_code": "1", "consent": "2026-01"}
    token = world.token_of(officer)
    answer = world.browser().api("POST", "/me/bank-card-checks", body, token=token)
    assert answer.status_code == 403
    assert world.browser().api("POST", "/me/bank-card-checks", body).status_code == 401


def evidence(level, expires=None, revoked=None, scale=Scale.HRSS):
    return SimpleNamespace(scale=scale, level=level, expires_at=expires, revoked_at=revoked)


@pytest.mark.req("ID-06")
@pytest.mark.parametrize(
    ("found", "level"),
    [
        ([], 1),
        ([evidence(2)], 2),
        ([evidence(2), evidence(3)], 3),
        ([evidence(3, revoked=NOW), evidence(2)], 2),
        ([evidence(3, expires=NOW), evidence(2)], 2),
        ([evidence(3, expires=NOW + timedelta(seconds=1))], 3),
        ([evidence(2, revoked=NOW)], 1),
    ],
)
def test_the_level_is_the_highest_of_what_still_holds(found, level):
    assert rules.level_of(found, Scale.HRSS, now=NOW) == level


@pytest.mark.req("ID-06")
@given(st.lists(st.builds(evidence, st.integers(1, 3))), st.builds(evidence, st.integers(1, 3)))
def test_more_evidence_never_lowers_the_level(found, more):
    before = rules.level_of(found, Scale.HRSS, now=NOW)
    assert rules.level_of([*found, more], Scale.HRSS, now=NOW) == max(before, more.level)


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 21, 15, 0, tzinfo=UTC), 1),
        (datetime(2026, 11, 21, 16, 0, tzinfo=UTC), 24),
        (datetime(2026, 11, 21, 4, 0, tzinfo=UTC), 12),
    ],
)
def test_the_days_allowance_ends_at_midnight_in_china(now, hours):
    assert rules.day_limit(now).window == timedelta(hours=hours)


@pytest.mark.req("ID-06")
def test_ten_checks_a_day(world, person, tell):
    counts = world.app.extensions["identity"].counts
    for _ in range(9):
        counts.take([rules.day_limit(world.clock.now())], person.id, now=world.clock.now())
    assert check(world, person, tell.card("01")).status_code == 422
    assert check(world, person, tell.card("000")).json["code"] == "verification-closed"
    world.clock.advance(hours=24)
    assert check(world, person, tell.card("000")).status_code == 201
