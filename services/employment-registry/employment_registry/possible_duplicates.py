"""Who looks like the applicant under another document, or shares a telephone with many (AL-12).

Persons are compared over all matters by blind indexes, which are filled in at submission; rows
from before there were any get theirs from a job. What an officer is shown of them is what the
officer's region holds; of the rest only where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    false,
    func,
    or_,
    select,
    union,
    union_all,
    update,
)
from sqlalchemy.orm import Session, aliased

from employment_registry.certificate import queries as certificates
from employment_registry.certificate.model import Certificate
from employment_registry.certificate.rules import Validity
from employment_registry.people import MATTERS
from employment_registry.person_columns import PersonApplication, indexes_of
from employment_registry.policies import POLICIES
from employment_registry.policy_kinds import SharedPhone
from employment_registry.standing import PersonStanding
from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.queues import within
from servicekit.regions import COUNTY_DIGITS
from servicekit.teamwork.duplicates import Alike, name_of
from servicekit.teamwork.rules import MOST_ALIKE, Likeness
from servicekit.workflow import State

LIKENESS: Final = "likeness"  # 姓名、出生日期、性别相同，证件不同
PHONE: Final = "phone"  # 多人使用同一联系电话
MOST_ROWS: Final = 200
_UNSEEN: Final = (State.DRAFT, State.CHECKING)  # UNE-04: no officer knows of it

Holders = Callable[[Session, Collection[bytes]], set[bytes]]


def alike(holders: Holders, is_first: Callable[[Any], bool]) -> Alike[Any]:
    """How a matter finds them.

    Args:
        holders: which of these persons have what an approval would give.
        is_first: does the application ask for something new, and not for a change of the old?
    """

    def find(db: Session, application: PersonApplication, now: datetime) -> list[Likeness]:
        found = _find(db, application, POLICIES.in_force(db, SharedPhone, shanghai_date(now)))
        held = holders(db, list(found)) if found and is_first(application) else set()
        return [
            Likeness(name_of(application.id, key), key, by, key in held)
            for key, by in found.items()
        ]

    return Alike(find=find, show=show, own_key=lambda application: application.person_key)


def registered(db: Session, keys: Collection[bytes]) -> set[bytes]:
    """Which of these persons are registered as employed or unemployed (ER-07)."""
    key = PersonStanding.person_key
    return set(db.scalars(select(key).where(key.in_(keys))))


def certified(db: Session, keys: Collection[bytes]) -> set[bytes]:
    """Which of them hold a valid certificate (ER-06)."""
    key = Certificate.person_key
    valid = Certificate.validity == Validity.VALID
    return set(db.scalars(select(key).where(key.in_(keys), valid)))


def show(db: Session, keys: Sequence[bytes], actor: Actor) -> list[dict[str, Any]]:
    """Persons as the officer may see them: what was filed in the own region, newest first."""
    parties: dict[bytes, dict[str, Any]] = {
        key: {"person": None, "applications": [], "certificates": [], "elsewhere": set()}
        for key in keys
    }
    rows = chain.from_iterable(
        ((matter, row) for row in db.scalars(_in_region(model, keys, actor)))
        for matter, model in MATTERS.items()
    )
    for matter, row in sorted(rows, key=lambda each: each[1].submitted_at, reverse=True):
        party = parties[row.person_key]
        party["person"] = party["person"] or row
        party["applications"].append({"matter": matter, "row": row})
    held = certificates.in_region(actor).where(Certificate.person_key.in_(keys))
    for certificate in db.scalars(held.order_by(Certificate.issued_at.desc()).limit(MOST_ROWS)):
        parties[certificate.person_key]["certificates"].append(certificate)
    for key, county in db.execute(union_all(*_elsewhere(keys, actor))):
        parties[key]["elsewhere"].add(county)
    return [party | {"elsewhere": sorted(party["elsewhere"])} for party in parties.values()]


def phone_others(model: Any) -> ColumnElement[int]:
    """How many other persons gave the telephone of an application of this table."""

    def same(other: Any) -> Select[Any]:
        phone, person = other.phone_index == model.phone_index, other.person_key != model.person_key
        found = select(other.person_key).where(phone, person, other.state.not_in(_UNSEEN))
        return found.correlate(model)

    persons = union(*(same(aliased(each)) for each in MATTERS.values())).subquery()
    return select(func.count()).select_from(persons).scalar_subquery()


def index_old(db: Session, *, most: int) -> int:
    """Give applications from before there were indexes theirs; two workers never take the same.

    Returns: how many got them.
    """
    done = 0
    for model in MATTERS.values():
        missing = model.likeness_index.is_(None) & model.submitted_at.is_not(None)
        wanted = select(model).where(missing).limit(most - done)
        for row in db.scalars(wanted.with_for_update(skip_locked=True)).all():
            # Past the row's version: an officer who looks at it sees no change.
            db.execute(update(model).where(model.id == row.id).values(indexes_of(row)))
            done += 1
    return done


def _find(
    db: Session, application: PersonApplication, phone: SharedPhone
) -> dict[bytes, tuple[str, ...]]:
    """The keys of other persons and what they have in common, in one query.

    The likest first, then who filed first: an order that new filings do not change.
    """
    alike_rows = union_all(
        *(
            select(
                model.person_key,
                *(same.label(name) for name, same in _same(model, application).items()),
                model.submitted_at,
            ).where(
                or_(*_same(model, application).values()),
                model.person_key != application.person_key,
                model.applicant_id != application.applicant_id,  # known to be the same (ID-05)
                model.state.not_in(_UNSEEN),
            )
            for model in MATTERS.values()
        )
    ).subquery()
    column = alike_rows.c
    by_likeness, by_phone = (
        func.coalesce(func.bool_or(column[name]), false()).label(name) for name in (LIKENESS, PHONE)
    )
    grouped = select(column.person_key, by_likeness, by_phone).group_by(column.person_key)
    ordered = grouped.order_by(by_likeness.desc(), func.min(column.submitted_at), column.person_key)
    rows = db.execute(ordered.limit(MOST_ROWS)).all()
    is_shared = phone.is_shared(sum(row.phone for row in rows))
    by = (LIKENESS, PHONE) if is_shared else (LIKENESS,)
    found = {row.person_key: tuple(each for each in by if getattr(row, each)) for row in rows}
    return dict([(key, each) for key, each in found.items() if each][:MOST_ALIKE])


def _same(model: Any, application: PersonApplication) -> dict[str, ColumnElement[bool]]:
    """What a row has in common with the application; nobody shares a telephone not given."""
    values = indexes_of(application)
    phone = values["phone_index"]
    return {
        LIKENESS: model.likeness_index == values["likeness_index"],
        PHONE: false() if phone is None else model.phone_index == phone,
    }


def _in_region(model: Any, keys: Sequence[bytes], actor: Actor) -> Select[Any]:
    here = within(model, actor.region or "")
    seen = and_(model.person_key.in_(keys), model.state.not_in(_UNSEEN))
    return select(model).where(seen, *here).order_by(model.submitted_at.desc()).limit(MOST_ROWS)


def _elsewhere(keys: Sequence[bytes], actor: Actor) -> Iterator[Select[Any]]:
    """In which counties outside of the region they have filed something, and nothing else of it."""
    tables: tuple[Any, ...] = (*MATTERS.values(), Certificate)
    for model in tables:
        county = func.left(model.region, COUNTY_DIGITS)
        there = ~model.region.startswith(actor.region or "", autoescape=True)
        filed = [] if model is Certificate else [model.state.not_in(_UNSEEN)]
        wanted = select(model.person_key, county).where(model.person_key.in_(keys), there, *filed)
        yield wanted.distinct()
