"""An end that is announced makes tokens worthless in every web process, restarted ones too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from servicekit.housekeeping import prune_events
from servicekit.inbox import Outcome
from servicekit.jobs import JobContext
from servicekit.ordering import Envelope
from servicekit.revocations import Revocations
from servicekit.web.revoked import RevocationFeed

PATIENCE = 5.0
ENDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("identity.session.ended", {"session_id": "s-1", "account_id": "p-1"}, {"session_id": "s-1"}),
    ("identity.account.locked", {"account_id": "p-1"}, {"accounts": ["p-1"]}),
    ("identity.account.cancelled", {"account_id": "p-1", "kind": "person"}, {"accounts": ["p-1"]}),
    (
        "identity.account.level-changed",
        {"account_id": "u-1", "kind": "unit", "scale": "prov", "level": 3, "before": 4},
        {"accounts": [None, "u-1"]},
    ),
    ("identity.client.suspended", {"client_id": "c-1"}, {"accounts": ["c-1"]}),
    (
        "employer-auth.binding.revised",
        {"binding_id": "b-1", "version": 5, "state": "active"},
        {"binding": "b-1", "version": 4},
    ),
    ("identity.signing-key.withdrawn", {"kid": "k-1"}, {"key": "k-1"}),
    ("employer-auth.signing-key.withdrawn", {"kid": "k-2"}, {"key": "k-2"}),
]
NOBODY: dict[str, Any] = {"session_id": "other", "accounts": [], "issued_at": 0.0}


def announced(paper_room: Any, kind: str, data: dict[str, Any], subject: str = "a") -> Envelope:
    """The event as the bus brings it."""
    return Envelope(
        id=f"{kind}-{subject}",
        type=f"{kind}.v1",
        source=kind.partition(".")[0],
        stream="fact",
        subject=subject,
        time=paper_room.clock.now(),
        sequence=1,
        data=data,
        preceded_at=None,
    )


def deliver(paper_room: Any, envelope: Envelope) -> Outcome:
    """What the service's events worker does with it."""
    app = paper_room.app
    with app.database.transaction() as db:
        return app.service.subscriptions.deliver(db, envelope, app.clock.now())


@contextmanager
def web_process(paper_room: Any) -> Iterator[Revocations]:
    """The part of another web process that listens."""
    app = paper_room.app
    known = Revocations(app.clock)
    feed = RevocationFeed(app.settings.database_url, "paper-room", known)
    feed.start()
    try:
        yield known
    finally:
        feed.stop.set()
        feed.join(PATIENCE + 5)


def wait_for(condition: Callable[[], bool]) -> float:
    """Seconds until it holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.005)
    return time.monotonic() - began


@pytest.mark.req("ID-43")
@pytest.mark.parametrize(("kind", "data", "token"), ENDS)
def test_what_has_ended_is_known_to_a_process_that_listens(
    paper_room: Any, kind: str, data: dict[str, Any], token: dict[str, Any]
) -> None:
    with web_process(paper_room) as known:
        first = announced(paper_room, "identity.session.ended", {"session_id": "s-0"}, subject="z")
        deliver(paper_room, first)
        wait_for(lambda: len(known) == 1)  # it listens by now
        assert deliver(paper_room, announced(paper_room, kind, data)) is Outcome.APPLIED
        assert wait_for(lambda: known.covers(**{**NOBODY, **token})) < 2


@pytest.mark.req("ID-43")
def test_a_process_that_starts_later_knows_it_too(paper_room: Any) -> None:
    for kind, data, _ in ENDS:
        deliver(paper_room, announced(paper_room, kind, data, subject=kind))
    with web_process(paper_room) as known:
        wait_for(lambda: all(known.covers(**{**NOBODY, **token}) for _, _, token in ENDS))


@pytest.mark.req("ID-43")
def test_a_lost_connection_is_made_again_and_nothing_is_missed(paper_room: Any) -> None:
    app = paper_room.app
    with web_process(paper_room) as known:
        deliver(paper_room, announced(paper_room, *ENDS[0][:2]))
        wait_for(lambda: len(known) == 1)
        with psycopg.connect(app.settings.database_url, autocommit=True) as other:
            gone = other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'paper-room-revocations' AND datname = current_database()"
            ).fetchall()
        assert gone == [(True,)]
        deliver(paper_room, announced(paper_room, *ENDS[1][:2]))
        wait_for(lambda: len(known) == 2)


@pytest.mark.req("ID-43")
def test_a_rise_and_a_repetition_end_nothing(paper_room: Any) -> None:
    rise = {"account_id": "p-1", "kind": "person", "scale": "hrss", "level": 2, "before": 1}
    deliver(paper_room, announced(paper_room, "identity.account.level-changed", rise))
    revised = announced(paper_room, *ENDS[4][:2])
    deliver(paper_room, revised)
    assert deliver(paper_room, revised) is Outcome.DUPLICATE
    with web_process(paper_room) as known:
        wait_for(lambda: len(known) == 1)
        assert not known.covers(**{**NOBODY, "accounts": ["p-1"]})
        assert not known.covers(**{**NOBODY, "binding": "b-1", "version": 5})


def test_old_ends_are_forgotten(paper_room: Any) -> None:
    app = paper_room.app
    deliver(paper_room, announced(paper_room, *ENDS[0][:2]))
    with app.database.transaction() as db:
        db.execute(text("UPDATE revocation SET heard_at = :at"), {"at": app.clock.now()})
    paper_room.clock.advance(hours=2)
    prune_events(JobContext("paper-room", app.database, app.clock, app.settings, threading.Event()))
    with app.database.reading() as db:
        assert db.execute(text("SELECT count(*) FROM revocation")).scalar_one() == 0
