"""Gives a database back as its template was, in a small part of the time that a copy takes.

A test leaves rows, seldom anything else. They are deleted, what the template held is put back, and
sequences go back to where they stood. A database whose tables changed is not used again. It is
done over one connection that is kept: a new one reads the whole catalogue again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import psycopg
from psycopg import sql

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
# Where each stands, and whether that value was taken.
_SEQUENCES = """
    SELECT sequencename, coalesce(last_value, start_value), last_value IS NOT NULL
    FROM pg_sequences WHERE schemaname = 'public'"""
# Tables, columns, constraints, triggers and functions: whatever a test may have changed by DDL.
_SHAPE = """
    SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
        SELECT format('%s %s %s', relname, relkind, relnatts) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT format('%s %s', conname, convalidated) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT format('%s %s', tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ) AS shape (line)"""
# What never had a row takes no room, and there are many such tables for each that has.
_WRITTEN = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
    ORDER BY relname"""
_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL (%s)"""


class Pristine:
    """What a fresh copy of a template holds, remembered beside it.

    Args:
        url: the address of the copy, which nobody uses yet.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._db = psycopg.connect(url, autocommit=True)
        self.database = self._db.info.dbname
        with self._db.transaction():
            self._tables = {name for (name,) in self._db.execute(_TABLES)}
            self._shape = self._one(_SHAPE)
            self._sequences = set(self._db.execute(_SEQUENCES))
            self._db.execute("CREATE SCHEMA pristine")
            self._kept = [name for (name,) in self._db.execute(_WRITTEN)]
            for name in self._kept:
                copied = sql.SQL("CREATE TABLE pristine.{0} AS TABLE public.{0}")
                self._db.execute(copied.format(sql.Identifier(name)))

    def restore(self, staying: Collection[int] = ()) -> bool:
        """End the connections to the database and make it as it was.

        Args:
            staying: the server processes of connections that may stay; they are idle.

        Returns: False when it can only be thrown away.
        """
        try:
            if self._db.closed or not self._answers():
                self._db.close()
                self._db = psycopg.connect(self.url, autocommit=True)
            self._db.execute(_OTHERS, [list(staying)])
            with self._db.transaction():
                if self._one(_SHAPE) != self._shape:
                    return False
                self._db.execute("SET LOCAL session_replication_role = replica")  # no triggers
                self._restore_rows()
                self._restore_sequences()
        except psycopg.Error:
            return False
        return True

    def living(self, processes: Collection[int]) -> int:
        """How many of these server processes there are still."""
        query = "SELECT pid FROM pg_stat_activity WHERE pid = ANY (%s)"
        return len(self._db.execute(query, [list(processes)]).fetchall())

    def close(self) -> None:
        """Give the connection up; nothing is restored any more."""
        self._db.close()

    def _answers(self) -> bool:
        """A test may have ended every connection to this database, this one too."""
        try:
            self._db.execute("SELECT")
        except psycopg.OperationalError:
            return False
        return True

    def _restore_rows(self) -> None:
        written = [name for (name,) in self._db.execute(_WRITTEN)]
        back = [
            sql.SQL("DELETE FROM public.{}").format(sql.Identifier(name))
            for name in written
            if name in self._tables
        ]
        back += [
            sql.SQL(
                "INSERT INTO public.{0} OVERRIDING SYSTEM VALUE SELECT * FROM pristine.{0}"
            ).format(sql.Identifier(name))
            for name in self._kept
        ]
        self._db.execute(sql.SQL("; ").join(back))

    def _restore_sequences(self) -> None:
        moved = set(self._db.execute(_SEQUENCES)) - self._sequences
        for name, value, taken in self._sequences if moved else ():
            place = f'public."{name}"'
            self._db.execute("SELECT setval(%s, %s, %s)", (place, value, taken))

    def _one(self, query: str) -> Any:
        row = self._db.execute(query.encode()).fetchone()
        return None if row is None else row[0]
