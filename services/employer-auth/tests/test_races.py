"""Forty at once: the database keeps "only one", and who loses leaves no trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from employer_auth.accounts.actions import UnitData, register_unit
from employer_auth.bindings import actions, moves
from employer_auth.bindings.actions import Invitation
from employer_auth.bindings.model import LoginName
from employer_auth.grants import actions as grants
from employer_auth.grants.rules import Action, Wish
from servicekit import history
from servicekit.applications import Actor
from servicekit.db import Database, new_id
from servicekit.personal import PersonName
from servicekit.testing.postgres import TestPostgres
from servicekit.testing.racing import at_once
from servicekit.vault import Vault, new_key
from servicekit.workflow import Role

AT_ONCE = 40
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
WISH = Wish("employer-auth.unit", (Action.VIEW,), None, date(2026, 11, 21), date(2027, 11, 20))


@pytest.fixture
def database(postgres: TestPostgres, template: str) -> Iterator[Database]:
    with postgres.fresh_database(template) as url:
        vault = Vault(f"k1:{new_key()}", new_key())
        database = Database(url, vault=vault, pool_size=AT_ONCE, application_name="races")
        yield database
        database.close()


@pytest.fixture
def unit(database: Database) -> Actor:
    actor = Actor(new_id(), Role.APPLICANT, "unit", unit_level=5)
    data = UnitData(actor.id, "uscc", "914403001922038216", "广州示例科技有限公司", "440106", 5)
    in_transaction(database, register_unit, data, now=NOW)
    return actor


@pytest.fixture
def lin() -> Actor:
    account = new_id()
    return Actor(account, Role.APPLICANT, "person", 2, account)


def count(database: Database, table: str, where: str = "true") -> int:
    with database.reading() as db:
        found = db.execute(text(f"SELECT count(*) FROM {table} WHERE {where}"))
        return int(found.scalar_one())


def in_transaction(database: Database, action: Callable[..., Any], *args: Any, **named: Any) -> Any:
    with database.transaction() as db:
        return action(db, *args, **named)


def invitation(lin: Actor) -> Invitation:
    return Invitation(lin.id, 2, PersonName("林小满"), LoginName("linxiaoman"))


def invited(database: Database, unit: Actor, lin: Actor) -> str:
    made = in_transaction(database, actions.invite, invitation(lin), actor=unit, now=NOW, days=30)
    return str(made.id)


def is_whole(database: Database) -> bool:
    with database.reading() as db:
        return history.verify(db) == []


@pytest.mark.req("EA-02", "EA-03")
def test_one_live_binding_per_unit_and_person(database: Database, unit: Actor, lin: Actor) -> None:
    ask = partial(
        in_transaction, database, actions.invite, invitation(lin), actor=unit, now=NOW, days=30
    )
    assert at_once(*[ask] * AT_ONCE) == {"done": 1, "already-bound": AT_ONCE - 1}
    assert count(database, "binding") == count(database, "application_history") == 1
    assert count(database, "outbox") == 2  # invited, revised


@pytest.mark.req("EA-03")
def test_consent_takes_effect_once(database: Database, unit: Actor, lin: Actor) -> None:
    asked = invited(database, unit, lin)
    agree = partial(in_transaction, database, actions.accept, asked, actor=lin, now=NOW)
    assert at_once(*[agree] * AT_ONCE) == {"done": 1, "wrong-state": AT_ONCE - 1}
    assert count(database, "outbox", "type LIKE '%sub-account.bound%'") == 1
    assert count(database, "binding", "state = 'active' AND version = 2") == 1
    assert is_whole(database)


@pytest.mark.req("EA-03", "EA-05")
def test_consent_refusal_and_recall_meet(database: Database, unit: Actor, lin: Actor) -> None:
    asked = invited(database, unit, lin)
    agree = partial(in_transaction, database, actions.accept, asked, actor=lin, now=NOW)
    refuse = partial(
        in_transaction, database, actions.decline, asked, actor=lin, now=NOW, note=None
    )
    recall = partial(
        in_transaction, database, actions.cancel, asked, actor=unit, now=NOW, note=None
    )
    lapse = partial(in_transaction, database, actions.expire, asked, now=NOW + timedelta(days=30))
    ends = at_once(*[agree, refuse, recall, lapse] * (AT_ONCE // 4))
    decided = count(database, "application_history", "move != 'invite'")
    assert decided == 1
    assert ends["wrong-state"] + ends["done"] == AT_ONCE
    assert is_whole(database)


@pytest.mark.req("EA-06", "EA-13")
def test_grants_and_the_end_meet(database: Database, unit: Actor, lin: Actor) -> None:
    asked = invited(database, unit, lin)
    in_transaction(database, actions.accept, asked, actor=lin, now=NOW)
    give = partial(in_transaction, database, grants.grant, asked, [WISH], actor=unit, now=NOW)
    leave = partial(in_transaction, database, actions.leave, asked, actor=lin, now=NOW, note=None)
    lock = partial(in_transaction, database, moves.settle_account, lin.id, now=NOW)
    ends = at_once(*[give] * 30, *[leave] * 5, *[lock] * 5)
    assert set(ends) <= {"done", "wrong-state", "binding-not-active"}
    assert count(database, "permission_grant", "ended_at IS NULL") == 0
    assert count(database, "binding", "state = 'released'") == 1
    told = "SELECT (data->>'version')::int AS v FROM outbox WHERE type LIKE '%binding.revised%'"
    with database.reading() as db:
        versions = [row.v for row in db.execute(text(f"{told} ORDER BY sequence"))]
    assert versions == sorted(set(versions))
    assert is_whole(database)
