"""The officers there are."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import Standing
from identity.officers import rules
from identity.officers.model import KnownBusiness, Officer
from servicekit.workflow import Role


def officers_of(region: str | None) -> Select[Officer]:
    """Everybody in a region and below it; the page decides how many. No region, nobody."""
    if not region:
        return select(Officer).where(false())
    return select(Officer).where(Officer.region.startswith(region, autoescape=True))


def colleagues_of(officer_id: str, *, business: str, region: str) -> Select[Officer]:
    """Who may be handed something of a business that was filed in a region (AL-10).

    Args:
        officer_id: who asks, and is not their own colleague.
        region: the officers of it and of those above it.
    """
    above = [region[:length] for length in range(2, len(region) + 1)]
    return (
        select(Officer)
        .join(Officer.account)
        .where(
            Officer.account_id != officer_id,
            Officer.region.in_(above),
            Officer.businesses.contains([business]),
            Officer.roles.contains([Role.REVIEWER.value]),
            Account.standing == Standing.ACTIVE,
        )
    )


def find_officer(db: Session, account_id: str, *, region: str | None) -> Officer:
    """An officer of a region or below it.

    Raises:
        NoOfficer: there is none there.
    """
    officer = db.get(Officer, account_id)
    if officer is None or not region or not officer.region.startswith(region):
        raise rules.NoOfficer
    return officer


def known_businesses(db: Session) -> frozenset[str]:
    """What officers may be appointed to: the suite's own matters, and what services announced.

    An admin who types a business wrong appoints somebody who sees nothing.
    """
    heard = db.execute(select(KnownBusiness.code, KnownBusiness.retired)).all()
    retired = {row.code for row in heard if row.retired}
    return (_own_businesses() | {row.code for row in heard}) - retired


@cache
def _own_businesses() -> frozenset[str]:
    text = (files("identity.officers") / "businesses.json").read_text(encoding="utf-8")
    return frozenset(json.loads(text))
