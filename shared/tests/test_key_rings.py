"""A ring's keys: published before they sign, kept after, sealed, and never two that sign."""

from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select, text
from sqlalchemy.orm import DeclarativeBase

from servicekit.db import Database
from servicekit.key_rings import ES256, KeyColumns, KeyLife, KeyPhase, KeyRing
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
