"""Which officers there are, as identity announces them: a small copy without personal data.

The events worker keeps it; a transfer or a question is checked against it, so that nothing is
handed to somebody who does not exist, has left, or reviews something else somewhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from servicekit.inbox import Envelope, Subscriptions
from servicekit.teamwork.rules import KnownOfficer, check_suitable
from servicekit.teamwork.tables import KNOWN_OFFICER


class OfficerChangedSchema(Schema):
    """What a transfer needs to know of an officer."""

    officer_id = fields.Str(required=True)
    region = fields.Str(required=True)
    businesses = fields.List(fields.Str(), required=True)
    roles = fields.List(fields.Str(), required=True)
    is_active = fields.Bool(required=True)


def subscribe(subscriptions: Subscriptions) -> None:
    """Hear of every officer; a service whose officers work together calls it once."""
    subscriptions.on("identity.officer.changed.v1", reads=OfficerChangedSchema)(_changed)


def keep(db: Session, officer: KnownOfficer, *, now: datetime) -> None:
    """Know an officer as they are from now on."""
    values = {
        "region": officer.region,
        "businesses": sorted(officer.businesses),
        "roles": sorted(officer.roles),
        "is_active": officer.is_active,
        "heard_at": now,
    }
    row = insert(KNOWN_OFFICER).values(officer_id=officer.officer_id, **values)
    db.execute(row.on_conflict_do_update(index_elements=["officer_id"], set_=values))


def find(db: Session, officer_ids: Sequence[str]) -> list[KnownOfficer]:
    """Those of them who are known."""
    rows = db.execute(select(KNOWN_OFFICER).where(KNOWN_OFFICER.c.officer_id.in_(officer_ids)))
    return [_known(row) for row in rows]


def check(
    db: Session, officer_ids: Sequence[str], *, business: str, region: str, field: str
) -> None:
    """May all of these be handed it, or asked about it; see ``rules.check_suitable``.

    Raises:
        OfficerUnsuitable
    """
    known = find(db, officer_ids)
    check_suitable(officer_ids, known, business=business, region=region, field=field)


def is_in_office(db: Session, officer_id: str) -> bool:
    """Is an officer still there? One nobody ever heard of may be; only news ends a duty."""
    known = find(db, [officer_id])
    return not known or known[0].is_active


def _changed(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    words = {name: frozenset(said[name]) for name in ("businesses", "roles")}
    keep(db, KnownOfficer(**said | words), now=envelope.time)


def _known(row: Any) -> KnownOfficer:
    return KnownOfficer(
        row.officer_id,
        row.region,
        frozenset(row.businesses),
        frozenset(row.roles),
        row.is_active,
    )
