"""A person chooses a unit and gets a mandate for it; others find out what was revoked (ID-41)."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from employer_auth.acting import rules


def test_a_person_with_no_binding_has_no_unit_to_choose(desk: Any) -> None:
    assert desk.person().units() == []


def test_the_keys_are_public_and_may_be_kept_a_while(desk: Any) -> None:
    answer = desk.visitor().get("mandate-keys")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert [(k["alg"], k["use"], "d" in k) for k in answer.json["keys"]] == [
        ("ES256", "sig", False),
        ("ES256", "sig", False),
    ]
    sealed = desk.rows("SELECT private FROM mandate_key")
    assert all(b'"d"' not in bytes(row.private) for row in sealed)


def test_a_mandates_key_turns_by_the_job_and_old_mandates_are_still_verified(desk: Any) -> None:
    _, lin, binding = desk.bound()
    old = lin.done(lin.mandate(binding), 201)["mandate"]
    desk.clock.advance(rules.KEY_ACTIVE_FOR)
    desk.works("turn-keys")
    desk.clock.advance(seconds=31)  # the web looks again
    new = lin.done(lin.mandate(binding), 201)["mandate"]
    published = KeySet.import_key_set(desk.visitor().get("mandate-keys").json)
    kids = {jwt.decode(mandate, published).header["kid"] for mandate in (old, new)}
    assert len(kids) == 2


def test_revocations_are_for_systems_with_the_scope(desk: Any) -> None:
    since = desk.clock.now().isoformat()
    asked = desk.system("revocations").get("revocations", since=since)
    assert asked.json == {"now": since, "bindings": []}
    other = desk.system("notices")
    other.refused(other.get("revocations", since=since), 403, "scope-missing")
    assert desk.person().get("revocations", since=since).status_code == 403


def read(desk: Any, mandate: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, checked with the public keys."""
    public = KeySet.import_key_set(desk.visitor().get("mandate-keys").json)
    token = jwt.decode(mandate, public, algorithms=["ES256"])
    return token.header, token.claims


@pytest.mark.req("ID-41", "PRT-11", "EA-13")
def test_a_mandate_says_who_may_act_for_whom_and_what(desk: Any) -> None:
    desk.offers("recruitment.jobs")
    unit, lin, binding = desk.bound()
    version = unit.grants(binding, "recruitment.jobs", "view", "submit")["version"]
    made = lin.done(lin.mandate(binding), 201)
    header, claims = read(desk, made["mandate"])
    assert (header["typ"], header["alg"]) == ("mandate+jwt", "ES256")
    now = int(desk.clock.now().timestamp())
    assert claims.pop("jti")
    assert claims == {
        "iss": f"{desk.app.settings.public_url}/employer-auth",
        "aud": desk.issuer.issuer,
        "sub": unit.id,
        "may_act": {"sub": lin.id},
        "binding": binding["id"],
        "bver": version,
        "permissions": ["recruitment.jobs:submit", "recruitment.jobs:view"],
        "iat": now,
        "exp": now + 60,
    }
    again = lin.done(lin.mandate(binding), 201)
    assert read(desk, again["mandate"])[1]["jti"] != read(desk, made["mandate"])[1]["jti"]


@pytest.mark.req("EA-13")
def test_a_mandate_says_where_if_the_unit_named_a_place(desk: Any) -> None:
    desk.offers("recruitment.jobs")
    desk.offers("recruitment.fairs")
    unit, lin, binding = desk.bound()
    unit.grants(binding, "recruitment.jobs", "view", region="4403")
    unit.grants(binding, "recruitment.fairs", "view")
    claims = desk.claims(lin.done(lin.mandate(binding), 201)["mandate"])
    assert claims["regions"] == {"recruitment.jobs": "4403"}


@pytest.mark.req("ID-41", "PRT-11", "H2")
def test_a_mandate_is_for_the_bound_person_and_their_unit_alone(desk: Any) -> None:
    unit, lin, binding = desk.bound()
    wang, other = desk.person(), desk.unit()
    wang.refused(wang.mandate(binding), 404, "binding-not-found")
    lin.refused(lin.mandate(binding, unit_id=other.id), 404, "binding-not-found")
    acting = desk.agent(unit, lin, "employer-auth.unit:manage")
    asked = {"unit_id": unit.id, "binding_id": binding["id"]}
    acting.refused(acting.post("mandates", asked), 403, "personal-session-required")
    unit.refused(unit.post("mandates", asked), 403, "personal-session-required")
    fallen = desk.person(level=1)
    answer = fallen.post("mandates", asked)
    assert answer.status_code == 401
    assert "urn:gdhrss:ial:2" in answer.headers["WWW-Authenticate"]
    assert desk.visitor().post("mandates", asked).status_code == 401


@pytest.mark.req("ID-43")
def test_every_change_of_a_binding_is_among_the_revocations(desk: Any) -> None:
    unit, _, binding = desk.bound()
    gateway = desk.system("revocations")
    desk.clock.advance(minutes=10)
    since = desk.clock.now().isoformat()
    assert gateway.done(gateway.get("revocations", since=since))["bindings"] == []
    unit.grants(binding, "employer-auth.unit", "view")
    (revised,) = gateway.done(gateway.get("revocations", since=since))["bindings"]
    assert revised == {
        "binding_id": binding["id"],
        "version": binding["version"] + 1,
        "state": "active",
        "at": since,
    }
    unit.tries_to("release", binding)
    (ended,) = gateway.done(gateway.get("revocations", since=since))["bindings"]
    assert (ended["state"], ended["version"]) == ("released", binding["version"] + 2)
