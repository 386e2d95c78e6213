"""A natural person's form opens and is filed alike in every matter; what it must say is its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from employment_registry import guide_versions
from employment_registry.checks import actions as checks
from employment_registry.checks.actions import Checked
from employment_registry.conditions import OpenOne
from employment_registry.person import Person
from employment_registry.person_columns import PersonApplication, columns_of, find_open
from servicekit.applications import Actor, take_number
from servicekit.errors import Refusal
from servicekit.filing import Filings
from servicekit.regions import COUNTY_DIGITS
from servicekit.uniqueness import refusing_a_second

A = TypeVar("A", bound=PersonApplication)


def open_form(
    db: Session,
    filings: Filings[A],
    values: Mapping[str, object],
    *,
    person: Person,
    actor: Actor,
    now: datetime,
    open_application: type[Refusal],
) -> A:
    """A draft with what is known of the person, and what they filled in already.

    Args:
        values: the matter's own columns; a contact phone among them goes before the account's.
        person: as identity vouches for them; never what a form says.
        open_application: refused with, where another one is not decided yet.

    Raises:
        Refusal: the given one, naming the other application where it is one's own.
    """
    make: Callable[..., A] = filings.model
    application = make(
        applicant_id=actor.id,
        filed_by=actor.person_id or actor.id,
        state=filings.workflow.start,
        created_at=now,
        updated_at=now,
        **(columns_of(person) | {"contact_phone": person.phone} | dict(values)),
    )

    def refusal() -> Refusal:
        other = find_open(db, filings.model, person.key, actor.id)
        return (other or OpenOne(None)).refuse(open_application)

    with refusing_a_second(db, refusal):
        db.add(application)
    return application


def file_form(
    db: Session,
    matter: Checked[A],
    application: A,
    *,
    region: str | None,
    guide: str,
    off: Collection[str],
    actor: Actor,
    now: datetime,
    note: str | None,
) -> None:
    """File a form that says all it must; the first time it gets its 受理编号 (ER-08).

    Args:
        region: whose officers decide.
        guide: the service guide it is filed under, in the version of now (ER-10).
        off: the registers that this installation is without.

    Raises:
        WrongState: it is not to be filed as it stands.
    """
    office = region or ""
    if application.number is None:  # first: a statement would write what has changed by then
        application.number = take_number(db, region=office, business=matter.digits, now=now)
    if (application.region or "")[:COUNTY_DIGITS] != office[:COUNTY_DIGITS]:
        application.assigned_to = None  # it was handed to an officer of another place
    application.region = office
    application.guide_version = guide_versions.version_now(db, guide)
    checks.file(db, matter, application, off=off, actor=actor, now=now, note=note)
