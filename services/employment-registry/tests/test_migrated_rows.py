"""What migrations make of the rows that are there, and of those an old version writes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, insert, text
from sqlalchemy.exc import IntegrityError

from servicekit import migrations
from servicekit.db import Database
from servicekit.testing.postgres import TestPostgres

PACKAGE = "employment_registry"
UNEMPLOYMENT, FLEXIBLE = "unemployment", "flexible_employment"
REST: dict[type[Any], Any] = {
    str: "x",
    int: 0,
    bool: False,
    bytes: b"x",
    list: [],
    object: [],  # JSON
    date: date(2026, 1, 1),
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
}


class Past:
    """The service's database as an earlier revision had it."""

    def __init__(self, url: str, revision: str) -> None:
        self._url, self._serial = url, count(1)
        migrations.upgrade(url, PACKAGE, to=revision)
        self._database = Database(url, vault=None, application_name="test")
        self._tables = MetaData()
        self._tables.reflect(self._database.engine)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._database.engine.begin() as connection:
            yield connection

    def put(self, table: str, **given: Any) -> str:
        """A row as code of this revision writes it: what must be there and is not given is any."""
        found: Table = self._tables.tables[table]
        needed = [c for c in found.columns if not c.nullable and c.server_default is None]
        rest = {c.name: REST[c.type.python_type] for c in needed if c.name not in given}
        if "id" in rest:
            rest["id"] = f"{table}-{next(self._serial)}"
        row = rest | given
        with self.writing() as connection:
            connection.execute(insert(found).values(**row))
        return str(row.get("id"))

    def registers(self, matter: str, account: str, person: bytes, **how: Any) -> str:
        """A person, by an application that was approved.

        Args:
            how: ``filed``, ``since`` of the standing, or ``valid=False`` of one that is over.
        """
        filed = how.get("filed", REST[datetime])
        mine = {"applicant_id": account, "person_key": person}
        kind = {"kind": "registration"} if matter == FLEXIBLE else {}
        stands = {"state": "approved", "submitted_at": filed} | kind
        application = self.put(f"{matter}_application", **mine, **stands)
        valid = how.get("valid", True)
        record = self.put(f"{matter}_record", **mine, application_id=application, is_valid=valid)
        if matter == FLEXIBLE:
            with self.writing() as connection:
                connection.execute(
                    text(f"UPDATE {matter}_application SET record_id = :record WHERE id = :id"),
                    {"record": record, "id": application},
                )
        if valid:
            since = how.get("since", REST[datetime])
            self.put("person_standing", person_key=person, record_id=record, since=since)
        return record

    def migrates(self, revision: str) -> None:
        migrations.upgrade(self._url, PACKAGE, to=revision)

    def column(self, table: str, key: str, column: str) -> dict[str, Any]:
        with self.writing() as connection:
            rows = connection.execute(text(f"SELECT {key}, {column} FROM {table}")).all()
        return {row[0]: row[1] for row in rows}

    def close(self) -> None:
        self._database.close()


@contextmanager
def past(postgres: TestPostgres, revision: str) -> Iterator[Past]:
    with postgres.fresh_database() as url:
        made = Past(url, revision)
        try:
            yield made
        finally:
            made.close()


def at(day: int, hour: int = 4) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@pytest.mark.req("ER-07")
def test_those_registered_before_0024_stand_so_since_they_filed(postgres: TestPostgres) -> None:
    with past(postgres, "0023") as then:
        expected = {}
        for number, matter in enumerate((UNEMPLOYMENT, FLEXIBLE)):
            for name, filed, since, then_since in (
                ("approved later", at(2), at(5), at(2)),
                ("never moved on", at(9), at(5), at(5)),
            ):
                key = f"{name}{number}".encode()
                record = then.registers(matter, f"{name}{number}", key, filed=filed, since=since)
                expected[record] = then_since
        # A change of flexible work was filed later; the registration counts.
        account, key = "changed", b"changed"
        changed = then.registers(FLEXIBLE, account, key, filed=at(2), since=at(5))
        mine = {"applicant_id": account, "person_key": key, "record_id": changed}
        stands = {"kind": "change", "state": "approved", "submitted_at": at(1)}
        then.put("flexible_employment_application", **mine, **stands)
        expected[changed] = at(2)
        then.migrates("0024")
        assert then.column("person_standing", "record_id", "since") == expected


@pytest.mark.req("ER-07")
def test_an_account_that_had_two_registrations_before_0025_keeps_the_older(
    postgres: TestPostgres,
) -> None:
    with past(postgres, "0024") as then:
        alone = then.registers(UNEMPLOYMENT, "alone", b"alone")
        then.registers(UNEMPLOYMENT, "ended", b"ended", valid=False)
        again = then.registers(FLEXIBLE, "ended", b"ended", since=at(3))
        younger = then.registers(UNEMPLOYMENT, "both", b"passport", since=at(4))
        older = then.registers(FLEXIBLE, "both", b"card", since=at(3))
        then.migrates("0025")
        owners = {alone: "alone", again: "ended", older: "both", younger: None}
        assert then.column("person_standing", "record_id", "applicant_id") == owners
        met = then.registers(UNEMPLOYMENT, "meanwhile", b"meanwhile")  # by the version before
        owners[met] = None
        assert then.column("person_standing", "record_id", "applicant_id") == owners
        with pytest.raises(IntegrityError), then.writing() as connection:
            connection.execute(text("UPDATE person_standing SET applicant_id = 'both'"))


@pytest.mark.req("AL-06")
def test_decisions_from_before_0026_know_when_it_was_filed_where_anybody_can(
    postgres: TestPostgres,
) -> None:
    day = date(2026, 3, 10)
    with past(postgres, "0025") as then:
        expected = {}
        for table in (
            "unemployment_application",
            "flexible_employment_application",
            "certificate_application",
            "planned_ending",
        ):
            for name, filed, known in (
                ("once", at(2), date(2026, 3, 2)),
                ("in the evening, when it is the next day here", at(2, 17), date(2026, 3, 3)),
                ("on the day", at(10, 1), day),
                ("again since", at(11), day),
                ("draft", None, day),
            ):
                key = f"{table} {name}"
                mine = {"applicant_id": key, "person_key": key.encode(), "submitted_at": filed}
                if table == "planned_ending":
                    mine["event_id"] = then.put("life_event", reference=key)
                application = then.put(table, **mine)
                made = then.put("review_decision", application_id=application, decided_on=day)
                expected[made] = known
        expected[then.put("review_decision", application_id="gone", decided_on=day)] = day
        then.migrates("0026")
        assert then.column("review_decision", "id", "filed_on") == expected
        met = then.put("review_decision", application_id="meanwhile", decided_on=day)
        assert then.column("review_decision", "id", "filed_on")[met] is None


@pytest.mark.req("ER-07", "ID-05")
def test_what_was_heard_of_late_or_by_the_version_before_0028_is_weighed_once_more(
    postgres: TestPostgres,
) -> None:
    with past(postgres, "0027") as then:
        today = datetime.now(UTC)  # the migration asks the database's own clock
        heard = {"old": today - timedelta(days=3), "new": today - timedelta(hours=1)}
        events = {n: then.put("life_event", reference=n, heard_at=at) for n, at in heard.items()}
        then.migrates("0028")
        met = then.put("life_event", reference="meanwhile", heard_at=at(1))
        weighed = {events["old"]: True, events["new"]: False, met: False}
        assert then.column("life_event", "id", "weighed") == weighed
