"""Agreements: read word for word, accepted by version, owed again, separate consents taken back."""

import pytest
from sqlalchemy import update

from identity.accounts.model import Acceptance
from identity.agreements.queries import has_consent


def call(world, token, method, path, body=None):
    return world.browser().api(method, path, body, token=token)


def outdated(world, person):
    """What they agreed to is an older version now."""
    with world.app.database.transaction() as db:
        theirs = update(Acceptance).where(Acceptance.account_id == person.id)
        db.execute(theirs.where(Acceptance.agreement == "privacy-policy").values(version="2025-01"))


@pytest.mark.req("ID-01", "ID-17")
def test_a_new_version_is_owed_at_the_next_login_and_nothing_before(world):
    person = world.registers()
    token = world.token_of(person)
    outdated(world, person)
    items = call(world, token, "GET", "/me/agreements").json["items"]
    owed = [each["name"] for each in items if each["needed"] and not each["accepted"]]
    assert owed == ["privacy-policy"]
    browser = world.browser()
    answer = browser.logs_in(person)
    assert answer.location == "/identity/agreements"
    assert browser.authorize().location.startswith("/identity/login")
    page = browser.get("/identity/agreements")
    assert "《隐私政策》" in page.text
    assert "《用户服务协议》" not in page.text
    assert browser.fills("/identity/agreements").location == "/identity/agreements"
    forged = browser.fills("/identity/agreements", agreed="yes", privacy_policy="2025-01")
    assert forged.location == "/identity/agreements"
    assert browser.authorize().location.startswith("/identity/login")
    assert browser.fills("/identity/agreements", agreed="yes").location == "/identity/"
    assert browser.authorize().status_code == 302
    assert world.browser().logs_in(person).location == "/identity/"
    assert world.browser().get("/identity/agreements").location == "/identity/login"


@pytest.mark.req("ID-17")
def test_a_separate_consent_is_given_to_what_was_read_and_taken_back(world):
    person = world.registers()
    token = world.token_of(person)
    text = call(world, None, "GET", "/agreements/bank-card").json
    assert (text["needed"], text["version"]) == (False, "2026-01")
    assert "银行卡" in world.browser().get("/identity/agreements/bank-card").text
    given = {"name": "bank-card", "version": "2026-01"}
    old = call(world, token, "POST", "/me/agreements", given | {"version": "2025-01"})
    assert old.json["code"] == "agreement-not-accepted"
    assert call(world, token, "DELETE", "/me/agreements/bank-card").status_code == 404
    for _ in range(2):
        assert call(world, token, "POST", "/me/agreements", given).status_code == 200
    with world.app.database.reading() as db:
        assert has_consent(db, person.id, "bank-card")
    taken = call(world, token, "DELETE", "/me/agreements/bank-card").json
    assert [h["withdrawn_at"] is None for h in taken["history"]].count(False) == 1
    with world.app.database.reading() as db:
        assert not has_consent(db, person.id, "bank-card")
    call(world, token, "POST", "/me/agreements", given)
    with world.app.database.reading() as db:
        assert has_consent(db, person.id, "bank-card")


@pytest.mark.req("ID-17")
def test_what_an_account_cannot_be_without_is_not_taken_back(world):
    token = world.token_of(world.registers())
    kept = call(world, token, "DELETE", "/me/agreements/privacy-policy")
    assert (kept.status_code, kept.json["code"]) == (409, "agreement-needed")
    assert "注销" in kept.json["detail"]
    assert call(world, token, "DELETE", "/me/agreements/nonsense").status_code == 404
    unknown = {"name": "nonsense", "version": "1"}
    assert call(world, token, "POST", "/me/agreements", unknown).status_code == 404
    assert world.browser().get("/identity/agreements/nonsense").status_code == 404
