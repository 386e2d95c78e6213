"""Two million registrations: persons, regions, states and dates as a province would have them.

Rows are made inside PostgreSQL and the indexes built afterwards; values that nobody looks for are
one sealed value each.
"""

from __future__ import annotations

import psycopg
from psycopg import sql
from registry_ground import Ground

from servicekit.regions import children

APPLICATION = "flexible_employment_application"
RECORD = "flexible_employment_record"
ROWS = 2_000_000
PERSONS = 0.7  # of the rows; the rest are second filings of the same persons

_DRAFTS = """
INSERT INTO {table} (
    id, applicant_id, filed_by, state, version, created_at, updated_at, kind, person_key,
    person_name, document_kind, document_number, born_on, sex, contact_phone, fields_to_correct)
SELECT
    'draft-' || n, 'drafter-' || n, 'drafter-' || n, 'draft', 1, now(), now(), 'registration',
    substr(sha256(('drafter-' || n)::bytea), 1, 16), %(person_name)s, 'resident-card',
    %(document_number)s, %(born_on)s, 'male', %(contact_phone)s, '[]'
FROM generate_series(1, %(rows)s) AS n
"""
# Shares of 1: who has an open application has one, so only first filings are open.
_MAKE = """
INSERT INTO {table} (
    id, number, applicant_id, filed_by, state, version, region, created_at, updated_at,
    submitted_at, decided_at, kind, person_key, person_name, document_kind, document_number,
    born_on, sex, employment_type, started_on, work_place, address, occupation, monthly_income,
    contact_phone, due_on, fields_to_correct)
SELECT
    uuidv7(made - now())::text,
    CASE WHEN state <> 'draft'
        THEN left(region, 6) || '-01-' || to_char(made, 'YYYYMMDD') || '-' || n END,
    'account-' || n % %(persons)s, 'account-' || n % %(persons)s, state, 3,
    CASE WHEN state <> 'draft' THEN region END, made, made,
    CASE WHEN state <> 'draft' THEN made END,
    CASE WHEN state IN ('approved', 'rejected', 'cancelled') THEN made + interval '3 days' END,
    'registration', substr(sha256((n % %(persons)s)::text::bytea), 1, 16), %(person_name)s,
    'resident-card', %(document_number)s, %(born_on)s, 'male', 'platform', made::date, region,
    '五山路' || n || '号', '网约配送员', 4500, %(contact_phone)s,
    CASE WHEN state IN ('submitted', 'approved', 'rejected')
        THEN CASE WHEN state = 'submitted' THEN current_date - 5 + (random() * 12)::int
            ELSE made::date + 7 END END,
    '[]'
FROM (
    SELECT n, (%(streets)s::text[])[1 + floor(random() * %(many)s)::int] AS region,
        now() - random() * interval '1095 days' AS made,
        CASE
            WHEN n <= %(persons)s AND chance < 0.015 THEN 'submitted'
            WHEN n <= %(persons)s AND chance < 0.03 THEN 'returned'
            WHEN n <= %(persons)s AND chance < 0.05 THEN 'draft'
            WHEN chance < 0.07 THEN 'withdrawn'
            WHEN chance < 0.10 THEN 'rejected'
            WHEN chance < 0.14 THEN 'cancelled'
            ELSE 'approved' END AS state
    FROM (SELECT n, random() AS chance FROM generate_series(1, %(rows)s) AS n) AS numbered
) AS planned
"""


def fill(ground: Ground, url: str, rows: int = ROWS) -> None:
    """Write the rows, build the indexes again, and let the planner know."""
    streets = [street.code for county in counties() for street in children(county)]
    persons = int(rows * PERSONS)
    values = {"rows": rows, "persons": persons, "streets": streets, "many": len(streets)}
    values |= _sealed(ground)
    with psycopg.connect(url, autocommit=True) as db:
        indexes = _drop_indexes(db, APPLICATION)
        make = sql.SQL(_MAKE.replace("n % %(", "n %% %(")).format(table=sql.Identifier(APPLICATION))
        db.execute("SET statement_timeout = 0")
        db.execute(make, values)
        for index in indexes:
            db.execute(index)  # type: ignore[call-overload]
        db.execute(f"VACUUM (ANALYZE) {APPLICATION}")  # type: ignore[call-overload]


def write_drafts(ground: Ground, url: str, rows: int) -> None:
    """Forms that were just opened by as many persons, with nothing filled in."""
    with psycopg.connect(url, autocommit=True) as db:
        make = sql.SQL(_DRAFTS).format(table=sql.Identifier(APPLICATION))
        db.execute(make, {"rows": rows} | _sealed(ground))
        db.execute(f"VACUUM (ANALYZE) {APPLICATION}")  # type: ignore[call-overload]


def _sealed(ground: Ground) -> dict[str, bytes]:
    vault = ground.vault
    return {
        name: vault.seal(text, f"{APPLICATION}.{name}")
        for name, text in (
            ("person_name", "林小明"),
            ("document_number", "440106199001010012"),
            ("born_on", "1990-01-01"),
            ("contact_phone", "13800000000"),
        )
    }


def counties() -> list[str]:
    """The codes of all counties of Guangdong."""
    return [county.code for city in children("44") for county in children(city.code)]


def _drop_indexes(db: psycopg.Connection, table: str) -> list[str]:
    """Drop the indexes that no constraint needs; what makes them again."""
    rows = db.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN "
        "(SELECT conname FROM pg_constraint)",
        [table],
    ).fetchall()
    for name, _ in rows:
        db.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [made for _, made in rows]
