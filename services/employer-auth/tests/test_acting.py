"""A person chooses a unit and gets a mandate for it; others find out what was revoked (ID-41)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from employer_auth.acting import keys, rules
from employer_auth.acting.keys import KeyRing


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


def test_keys_turn_and_nobody_meets_one_that_is_not_published(desk: Any) -> None:
    ring = KeyRing(desk.app.database)
    first = ring.signer(now=desk.clock.now()).kid
    following = {k.kid for k in ring.public(now=desk.clock.now()).keys} - {first}

    def turn() -> str | None:
        with desk.app.database.transaction() as db:
            return keys.turn(db, now=desk.clock.now())

    assert turn() is None
    desk.clock.advance(rules.KEY_ACTIVE_FOR)
    assert turn() in following
    public = {k.kid for k in ring.public(now=desk.clock.now()).keys}
    assert first in public
    assert ring.signer(now=desk.clock.now()).kid in following
    desk.clock.advance(rules.KEY_KEPT_AFTER + timedelta(minutes=1))
    assert turn() is None
    assert first not in {k.kid for k in ring.public(now=desk.clock.now()).keys}


def test_revocations_are_for_systems_with_the_scope(desk: Any) -> None:
    since = desk.clock.now().isoformat()
    asked = desk.system("revocations").get("revocations", since=since)
    assert asked.json == {"now": since, "bindings": []}
    other = desk.system("notices")
    other.refused(other.get("revocations", since=since), 403, "scope-missing")
    assert desk.person().get("revocations", since=since).status_code == 403
