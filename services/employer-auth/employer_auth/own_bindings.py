"""Our own bindings, for the kit's verifier: here a changed one ends its tokens at once (ID-43).

Other services hear of it by the bus, within two seconds; this one need not wait for its own word.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import is_active
from servicekit.db import Database
from servicekit.web.tokens import Claims


class OwnBindings:
    """Says whether a token is worth nothing.

    Args:
        database: where the bindings are.
        otherwise: what the kit knows of sessions and accounts.
    """

    def __init__(self, database: Database, otherwise: Callable[[Claims], bool]) -> None:
        self._database = database
        self._otherwise = otherwise

    def has_ended(self, claims: Claims) -> bool:
        """Is its binding another one by now, or has its session or account ended?"""
        if self._otherwise(claims):
            return True
        if claims.actor.binding is None:
            return False
        found = select(Binding.version, Binding.state, Binding.unit_id, Binding.person_id)
        with self._database.reading() as db:
            row = db.execute(found.where(Binding.id == claims.actor.binding)).one_or_none()
        if row is None or not is_active(row.state):
            return True
        named = (claims.actor.id, claims.actor.person_id, claims.actor.binding_version)
        return named != (row.unit_id, row.person_id, row.version)
