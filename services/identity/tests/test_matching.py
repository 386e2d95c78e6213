"""Other services ask whether a person is registered: one answer for every kind of no."""

import pytest

from identity.sign_in import clients


def system_token(world, scope="accounts.match"):
    with world.app.database.transaction() as db:
        clients.write_own(db, world.app.settings, now=world.clock.now())
    secret = world.app.settings.employer_auth_client_secret
    answer = world.browser().token(
        secret, "jiuye-employer-auth", grant_type="client_credentials", scope=scope
    )
    assert answer.status_code == 200, answer.text
    return answer.json["access_token"]


def match(world, token, person, **changes):
    asked = {
        "login_name": person.login_name,
        "name": person.name,
        "document_number": person.document_number,
    }
    return world.browser().api("POST", "/person-matches", asked | changes, token=token)


@pytest.mark.req("EA-02")
def test_a_service_finds_a_person_by_all_three_and_learns_nothing_else(world, tell):
    token = system_token(world)
    person, other = world.proves(world.registers()), world.registers(name="陈大文")
    found = match(world, token, person)
    assert (found.status_code, found.json) == (200, {"account_id": person.id, "level": 2})
    refused = [
        match(world, token, person, login_name="nobody_here"),
        match(world, token, person, name="林大满"),
        match(world, token, person, document_number=other.document_number),
        match(world, token, person, document_number="x"),
        match(world, token, other, name=person.name),
    ]
    assert {a.status_code for a in refused} == {404}
    assert {a.json["code"] for a in refused} == {"person-not-matched"}
    assert len({a.json["detail"] for a in refused}) == 1


@pytest.mark.req("EA-02")
def test_one_login_name_is_not_tried_for_ever(world):
    token = system_token(world)
    person = world.registers()
    answers = [match(world, token, person, document_number=f"{n:018}") for n in range(20)]
    assert {a.status_code for a in answers} == {404}
    late = match(world, token, person)
    assert (late.status_code, late.json["code"]) == (429, "too-many-matches")


@pytest.mark.req("EA-02")
def test_only_a_client_with_the_scope_asks(world):
    person = world.registers()
    assert match(world, world.token_of(person), person).status_code == 403
    assert match(world, None, person).status_code == 401
    answer = match(world, system_token(world, scope="notices"), person)
    assert (answer.status_code, answer.json["code"]) == (403, "scope-missing")
