"""Roles and databases of a development suite: one of each per service, closed to the others."""

from collections.abc import Mapping

import psycopg
from psycopg import sql


def ensure(admin_url: str, owners: Mapping[str, str]) -> list[str]:
    """Make what is missing; the password is set each time, so a lost secret heals.

    Args: admin_url: the superuser's address.
        owners: name of role and database → the role's password.
    Returns: the databases that were made now.
    """
    made = []
    with psycopg.connect(admin_url, autocommit=True) as admin:
        roles = {row[0] for row in admin.execute("SELECT rolname FROM pg_roles")}
        databases = {row[0] for row in admin.execute("SELECT datname FROM pg_database")}
        for name, password in owners.items():
            role = sql.Identifier(name)
            word = "ALTER" if name in roles else "CREATE"
            login = sql.SQL(f"{word} ROLE {{}} LOGIN PASSWORD {{}}")
            admin.execute(login.format(role, sql.Literal(password)))
            if name not in databases:
                admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
                admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(role))
                made.append(name)
    return made
