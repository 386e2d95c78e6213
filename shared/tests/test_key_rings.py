"""A ring's keys: published before they sign, kept after, sealed, and never two that sign."""

from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select, text
from sqlalchemy.orm import DeclarativeBase

from servicekit.db import Database
from servicekit.key_rings import ES256, KeyColumns, KeyLife, KeyPhase, KeyRing, NoSuchKey, new_key
from servicekit.testing.racing import at_once

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIFE = KeyLife(
    published_before=timedelta(hours=1), active_for=timedelta(days=30), kept_after=timedelta(days=1)
)


class Base(DeclarativeBase):
    """Parent of the ring's table."""


class RingKey(KeyColumns, Base):
    """A key of the test's ring."""

    __tablename__ = "ring_key"


@pytest.fixture
def sealing(postgres, vault):
    with postgres.fresh_database() as url:
        database = Database(url, vault=vault, application_name="ring")
        Base.metadata.create_all(database.engine)
        yield database
        database.close()


def ring_on(database, *algorithms):
    return KeyRing(database, RingKey, LIFE, algorithms or (ES256,))


def kids(ring, now):
    return {key["kid"] for key in ring.jwks(now=now)["keys"]}


@pytest.mark.req("ID-44")
@pytest.mark.parametrize("algorithms", [(ES256,), (ES256, "RS256")])
def test_nobody_meets_a_key_that_is_not_published(sealing, algorithms):
    ring = ring_on(sealing, *algorithms)
    first = {ring.signer(each, now=NOW).kid for each in algorithms}
    following = kids(ring, NOW) - first
    assert len(first) == len(following) == len(algorithms)
    assert ring.turn(now=NOW + LIFE.active_for - MINUTE) == []
    turned = NOW + LIFE.active_for
    assert set(ring.turn(now=turned)) == following
    assert {ring.signer(each, now=turned).kid for each in algorithms} == following
    assert first < kids(ring, turned), "what they signed is still verified"
    assert ring.turn(now=turned) == []
    over = turned + LIFE.kept_after + MINUTE
    ring.turn(now=over)
    assert not first & kids(ring, over)


@pytest.mark.req("ID-44")
def test_a_key_that_was_published_a_moment_ago_does_not_sign_yet(sealing):
    ring = ring_on(sealing)
    ring.turn(now=NOW)
    with sealing.transaction() as db:
        late = NOW + LIFE.active_for
        db.execute(
            text("UPDATE ring_key SET created_at = :late WHERE phase = 'next'"), {"late": late}
        )
    assert ring.turn(now=late) == []
    assert len(ring.turn(now=late + LIFE.published_before)) == 1


@pytest.mark.req("ID-44")
def test_a_ring_on_other_processes_signs_what_this_one_verifies(sealing):
    here, there = ring_on(sealing), ring_on(sealing)
    key = there.signer(now=NOW)
    token = jwt.encode({"alg": ES256, "kid": key.kid}, {"sub": "a"}, key)
    public = KeySet.import_key_set(here.jwks(now=NOW))
    assert jwt.decode(token, public).claims == {"sub": "a"}


@pytest.mark.req("ID-44")
def test_private_halves_are_sealed_and_never_published(sealing):
    ring = ring_on(sealing, ES256, "RS256")
    ring.turn(now=NOW)
    assert all("d" not in key for key in ring.jwks(now=NOW)["keys"])
    with sealing.reading() as db:
        stored = db.execute(text("SELECT private FROM ring_key")).scalars().all()
    assert len(stored) == 4
    assert all(b'"d"' not in bytes(private) for private in stored)


@pytest.mark.req("ID-44")
def test_many_at_once_make_one_active_key(sealing):
    signers = set()

    def sign():
        signers.add(ring_on(sealing).signer(now=NOW).kid)

    at_once(*[sign] * 8)
    assert len(signers) == 1
    with sealing.reading() as db:
        phases = sorted(db.scalars(select(RingKey.phase)))
    assert phases == [KeyPhase.ACTIVE, KeyPhase.NEXT]


@pytest.mark.req("ID-44")
def test_a_keys_name_can_be_given_to_a_command():
    assert not [kid for _ in range(400) if (kid := new_key(ES256).thumbprint()).startswith("-")]


def withdraw(database, ring, kid, now=NOW):
    with database.transaction() as db:
        return ring.withdraw(db, kid, now=now)


@pytest.mark.req("ID-44")
@pytest.mark.parametrize("algorithms", [(ES256,), (ES256, "RS256")])
def test_a_key_that_leaked_signs_and_verifies_nothing_at_once(sealing, algorithms):
    ring, other = ring_on(sealing, *algorithms), ring_on(sealing, *algorithms)
    leaked, published = other.signer(now=NOW).kid, kids(ring, NOW)
    assert withdraw(sealing, ring, leaked) is KeyPhase.ACTIVE
    assert ring.signer(now=NOW).kid in published - {leaked}, "others know the new signer already"
    assert leaked not in kids(ring, NOW)
    assert ring.withdrawn(now=NOW) == [leaked]
    soon, later = NOW + timedelta(seconds=0.11), NOW + timedelta(seconds=2.11)
    assert other.signer(now=soon).kid == ring.signer(now=NOW).kid
    assert leaked not in kids(other, later)
    assert len(kids(ring, NOW)) == 2 * len(algorithms)
    assert ring.turn(now=NOW + LIFE.active_for - MINUTE) == []
    with sealing.reading() as db:
        kept = db.get(RingKey, leaked)
    assert (kept.phase, kept.private.expose()) == (KeyPhase.WITHDRAWN, "")


@pytest.mark.req("ID-44")
def test_keys_that_do_not_sign_can_leak_too_and_none_leaks_twice(sealing):
    ring = ring_on(sealing)
    first = ring.signer(now=NOW).kid
    (following,) = kids(ring, NOW) - {first}
    assert withdraw(sealing, ring, following) is KeyPhase.NEXT
    later = NOW + LIFE.active_for
    (second,) = ring.turn(now=later)
    assert second not in (first, following)
    assert withdraw(sealing, ring, first, later) is KeyPhase.RETIRED
    assert ring.signer(now=later).kid == second
    assert ring.withdrawn(now=later) == sorted([first, following])
    for kid in (first, "unknown"):
        with pytest.raises(NoSuchKey):
            withdraw(sealing, ring, kid, later)
    ring.turn(now=later + 10 * LIFE.active_for)
    assert ring.withdrawn(now=later + 10 * LIFE.active_for) == sorted([first, following])


@pytest.mark.req("ID-44")
def test_many_who_withdraw_one_key_make_one_new_signer(sealing):
    leaked, outcomes = ring_on(sealing).signer(now=NOW).kid, []

    def hurry():
        try:
            outcomes.append(withdraw(sealing, ring_on(sealing), leaked))
        except NoSuchKey:
            outcomes.append(None)

    at_once(*[hurry] * 6)
    assert outcomes.count(KeyPhase.ACTIVE) == 1
    with sealing.reading() as db:
        phases = sorted(db.scalars(select(RingKey.phase)))
    assert phases == [KeyPhase.ACTIVE, KeyPhase.NEXT, KeyPhase.WITHDRAWN]
