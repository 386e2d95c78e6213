"""Forty at once: the database keeps "only one", and who loses leaves no trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from employment_registry.checks.rules import System
from employment_registry.flexible_employment import actions, rules
from employment_registry.flexible_employment.actions import Opening
from employment_registry.flexible_employment.review_actions import REVIEWS
from employment_registry.person import BirthDate, Person
from servicekit import history
from servicekit.applications import Actor
from servicekit.claims import Decision
from servicekit.db import Database, new_id
from servicekit.personal import DocumentNumber, MobileNumber, PersonName
from servicekit.testing.postgres import TestPostgres
from servicekit.testing.racing import at_once
from servicekit.vault import Vault, new_key
from servicekit.workflow import Role

AT_ONCE = 40
NOW = datetime(2026, 9, 29, 2, 0, tzinfo=UTC)
NUMBER = DocumentNumber("440106199001010012")
LIN = Person(
    PersonName("林小满"),
    "resident-card",
    NUMBER,
    NUMBER,
    BirthDate("1990-01-01"),
    "male",
    MobileNumber("13800000000"),
)
FORM: dict[str, Any] = {
    "employment_type": rules.EmploymentType.PLATFORM,
    "started_on": date(2026, 9, 1),
    "work_place": "440106003",
    "address": "五山路1号",
    "occupation": "网约配送员",
    "monthly_income": Decimal("4500.00"),
}


def applicant() -> Actor:
    account = new_id()
    return Actor(account, Role.APPLICANT, "person", 2, account)


def officer() -> Actor:
    account = new_id()
    return Actor(account, Role.REVIEWER, "officer", 2, account, region="4401")


@pytest.fixture
def database(postgres: TestPostgres, template: str) -> Iterator[Database]:
    with postgres.fresh_database(template) as url:
        vault = Vault(f"k1:{new_key()}", new_key())
        database = Database(url, vault=vault, pool_size=AT_ONCE, application_name="races")
        yield database
        database.close()


def count(database: Database, table: str, where: str = "true") -> int:
    with database.reading() as db:
        found = db.execute(text(f"SELECT count(*) FROM {table} WHERE {where}"))
        return int(found.scalar_one())


def in_transaction(database: Database, action: Callable[..., Any], *args: Any, **named: Any) -> Any:
    with database.transaction() as db:
        return action(db, *args, **named)


def decided(database: Database, move: str, filed: str, **how: Any) -> None:
    in_transaction(database, REVIEWS.decide, move, filed, actor=officer(), now=NOW, **how)


def opened(database: Database, kind: rules.Kind, actor: Actor) -> str:
    opening = Opening(kind, FORM)
    made = in_transaction(database, actions.open_draft, opening, person=LIN, actor=actor, now=NOW)
    return str(made.id)


def submitted(database: Database, kind: rules.Kind, actor: Actor) -> str:
    made = opened(database, kind, actor)
    in_transaction(database, actions.submit, made, actor=actor, now=NOW, off=tuple(System))
    return made


@pytest.mark.req("EMP-10")
def test_forty_clicks_on_new_open_one_application(database: Database) -> None:
    actor = applicant()
    ends = at_once(*[lambda: opened(database, rules.Kind.REGISTRATION, actor)] * AT_ONCE)
    assert ends == {"done": 1, "application-open": AT_ONCE - 1}
    assert count(database, "flexible_employment_application") == 1


@pytest.mark.req("EMP-10")
def test_forty_accounts_of_one_person_open_one_application(database: Database) -> None:
    calls = [
        partial(opened, database, rules.Kind.REGISTRATION, applicant()) for _ in range(AT_ONCE)
    ]
    assert at_once(*calls) == {"done": 1, "application-open": AT_ONCE - 1}
    assert count(database, "flexible_employment_application") == 1


@pytest.mark.req("AL-07", "ER-08")
def test_forty_submissions_have_one_effect(database: Database) -> None:
    actor = applicant()
    draft = opened(database, rules.Kind.REGISTRATION, actor)

    def submit() -> None:
        in_transaction(database, actions.submit, draft, actor=actor, now=NOW, off=tuple(System))

    ends = at_once(*[submit] * AT_ONCE)
    assert ends["done"] == 1
    assert set(ends) <= {"done", "changed-meanwhile", "wrong-state"}
    assert count(database, "application_history") == count(database, "outbox") == 1
    assert count(database, "serial", "last = 1") == 1


@pytest.mark.req("AL-10")
def test_of_forty_officers_deciding_at_once_one_wins(database: Database) -> None:
    filed = submitted(database, rules.Kind.REGISTRATION, applicant())
    before = count(database, "outbox")

    def approve() -> None:
        decided(database, "approve", filed)

    def reject() -> None:
        decided(database, "reject", filed, decision=Decision("不符"))

    ends = at_once(*[approve, reject] * (AT_ONCE // 2))
    assert ends["done"] == 1
    assert set(ends) <= {"done", "changed-meanwhile", "wrong-state"}
    assert count(database, "application_history", "before = 'submitted'") == 1
    approved = count(database, "flexible_employment_application", "state = 'approved'")
    assert count(database, "flexible_employment_record") == approved
    assert count(database, "outbox") == before + 1 + 2 * approved  # the record, the certificate


@pytest.mark.req("AL-10")
def test_of_forty_officers_claiming_at_once_one_holds_it(database: Database) -> None:
    filed = submitted(database, rules.Kind.REGISTRATION, applicant())

    def claim() -> None:
        in_transaction(database, REVIEWS.claim, filed, actor=officer(), now=NOW)

    ends = at_once(*[claim] * AT_ONCE)
    assert ends["done"] == 1
    assert set(ends) <= {"done", "changed-meanwhile", "claimed-by-other"}


@pytest.mark.req("EMP-08", "EMP-10")
@pytest.mark.parametrize("round_", range(5))
def test_a_change_decided_while_its_record_is_cancelled_never_outlives_it(
    database: Database, round_: int
) -> None:
    actor = applicant()
    founding = submitted(database, rules.Kind.REGISTRATION, actor)
    decided(database, "approve", founding)
    change = submitted(database, rules.Kind.CHANGE, actor)
    decisions = [
        lambda: decided(database, "approve", change),
        lambda: decided(database, "reject", change, decision=Decision("不符")),
        lambda: in_transaction(
            database, actions.FILINGS.withdraw, change, actor=actor, now=NOW, note=None
        ),
    ]

    def cancel() -> None:
        in_transaction(database, actions.cancel, founding, actor=actor, now=NOW, reason="停业")

    ends = at_once(cancel, *decisions)
    assert set(ends) <= {"done", "changed-meanwhile", "wrong-state", "record-invalid"}
    if count(database, "flexible_employment_record", "is_valid"):
        cancel()  # it lost the race, and may be said again
    assert count(database, "flexible_employment_application", "state = 'approved'") == 0
    assert count(database, "flexible_employment_application", "state = 'cancelled'") >= 1
    with database.reading() as db:
        assert history.verify(db) == []


@pytest.mark.req("EMP-10")
def test_a_second_account_of_a_registered_person_is_refused(database: Database) -> None:
    first = submitted(database, rules.Kind.REGISTRATION, applicant())
    decided(database, "approve", first)
    other = replace(applicant(), level=3)
    with pytest.raises(rules.AlreadyRegistered):
        opened(database, rules.Kind.REGISTRATION, other)


def one_won(answers: Iterable[Any], won: int) -> bool:
    """One did it; the others were refused, or told to try again where they waited too long."""
    ends = Counter(answer.status_code for answer in answers)
    return ends[won] == 1 and set(ends) <= {won, 409, 503}


@pytest.mark.req("AL-07", "AL-10", "EMP-10")
def test_forty_requests_through_http_have_one_effect(desk: Any) -> None:
    lin, own = desk.person(), "flexible-employment-registrations"
    wish = {"kind": "registration", "employment": desk.form}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: lin.post(own, wish), range(AT_ONCE)))
        assert one_won(answers, 201)
        draft = next(a.json for a in answers if a.status_code == 201)
        clicks = pool.map(lambda _: lin.tries_to("submit", draft, {}, key="once"), range(AT_ONCE))
        assert len({a.text for a in clicks if a.status_code == 200}) == 1
        officers = [desk.officer("440106") for _ in range(AT_ONCE)]
        decided = pool.map(lambda o: o.tries_to("approve", draft, {}), officers)
        assert one_won(decided, 200)
    counts = desk.counts()
    assert (counts["applications"], counts["records"], counts["history"]) == (1, 1, 2)
    assert counts["outbox"] == 4  # submitted, approved, the record, the certificate with it
