"""The life's first half: register, sign in, get tokens, raise the level, read who it is."""

import pytest


@pytest.mark.req("ID-01", "ID-06", "ID-07", "ID-40")
def test_a_visitor_becomes_a_proved_person(world, tell):
    person = world.registers()
    browser = world.browser().signs_in(person)
    tokens = browser.tokens(scope="openid profile real_name phone")
    token = tokens["access_token"]
    me = browser.api("GET", "/me", token=token)
    assert me.status_code == 200, me.text
    assert me.json["id"] == person.id
    assert me.json["level"] == 1
    assert person.document_number not in me.text
    code = world.sms_code(person.phone, "bank-card-check", token)
    check = browser.api(
        "POST",
        "/me/bank-card-checks",
        {
            "card_number": tell.card("000"),
            "phone": person.phone,
            "sms_code": code,
            "consent": "2026-01",
        },
        token=token,
    )
    assert check.status_code == 201, check.text
    assert check.json["level"] == 2
    evidence = browser.api("GET", "/me/evidence", token=token).json
    assert evidence["level"] == 2
    assert [e["channel"] for e in evidence["items"]] == ["bank-card"]
    assert world.events()[-1] == (
        "identity.account.verified.v1",
        {"account_id": person.id, "level": 2, "channel": "bank-card"},
    )
    again = browser.refreshes(tokens["refresh_token"])
    assert again.status_code == 200, again.text
    userinfo = browser.get(
        "/identity/userinfo", headers={"Authorization": f"Bearer {again.json['access_token']}"}
    )
    assert userinfo.json["document_number"] == person.document_number
    assert userinfo.json["acr"] == "urn:gdhrss:ial:2"


@pytest.mark.req("ID-45")
def test_an_officer_signs_in_with_two_factors(world):
    officer = world.officer("reviewer")
    browser = world.browser().signs_in(officer, world.clock)
    me = browser.api("GET", "/me", token=browser.tokens()["access_token"])
    assert me.json["kind"] == "officer"
