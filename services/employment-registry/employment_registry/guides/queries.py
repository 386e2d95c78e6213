"""What a guide says on a day in a region, and whether a person meets its conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from employment_registry import guide_versions
from employment_registry.certificate import queries as certificate
from employment_registry.certificate.model import CertificateApplication
from employment_registry.conditions import Finding, OpenOne, assess
from employment_registry.flexible_employment import queries as flexible
from employment_registry.flexible_employment.model import FlexibleEmploymentApplication
from employment_registry.guide_texts import policy_values
from employment_registry.guide_versions import GuideVersion
from employment_registry.guides import rules
from employment_registry.life_events import queries as endings
from employment_registry.person import Person
from employment_registry.person_columns import PersonApplication, find_open
from employment_registry.policies import POLICIES
from employment_registry.policy_kinds import ReviewLimit
from employment_registry.unemployment import queries as unemployment
from employment_registry.unemployment.model import UnemploymentApplication
from servicekit.applications import Actor
from servicekit.clock import shanghai_date


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks whether a form would open, and when."""

    person: Person
    actor: Actor
    today: date


def lines(db: Session) -> list[dict[str, Any]]:
    """Every guide in a line, in the order in which people meet the businesses."""
    known = guide_versions.newest(db)
    return [
        {
            "item": item,
            "version": known[item].version,
            "title": known[item].title,
            "introduction": known[item].content["introduction"],
        }
        for item in rules.BUSINESSES
    ]


def read(
    db: Session, item: str, *, region: str, today: date, version: int | None = None
) -> dict[str, Any]:
    """A guide as it is read today, with the office of a region.

    Raises:
        GuideNotFound, RegionUnknown
    """
    rules.check_region(region)
    return shown(db, find(db, item, version), today=today, region=region)


def find(db: Session, item: str, version: int | None = None) -> GuideVersion:
    """A version of a guide, the newest unless another is named.

    Raises:
        GuideNotFound
    """
    rules.business(item)
    newest = guide_versions.newest(db)[item]
    if version is None or version == newest.version:
        return newest
    if not 0 < version < newest.version:
        raise rules.GuideNotFound
    found = db.scalar(versions(item).where(GuideVersion.version == version))
    if found is None:
        raise rules.GuideNotFound
    return found


def versions(item: str) -> Select[GuideVersion]:
    """Every version of a guide."""
    return select(GuideVersion).where(GuideVersion.item == item)


def shown(db: Session, guide: GuideVersion, *, today: date, region: str) -> dict[str, Any]:
    """A guide as it is read: the policies in force filled in, and the region's office.

    A version that was followed by another one is filled as it was on its last day.
    """
    follower = versions(guide.item).where(GuideVersion.version == guide.version + 1)
    is_newest = guide_versions.newest(db)[guide.item].version == guide.version
    after = None if is_newest else db.scalar(follower)
    day = today if after is None else min(today, shanghai_date(after.published_at))
    business = rules.business(guide.item)
    values = policy_values(db, day)
    content = rules.filled(rules.completed(guide.content), values)
    checked = guide.conditions if after is not None else conditions_of(business)
    limit = None
    if business.limit is not None:
        limit = getattr(POLICIES.in_force(db, ReviewLimit, day), business.limit)
    return {
        **content,
        "item": guide.item,
        "version": guide.version,
        "title": guide.title,
        "is_newest": after is None,
        "published_on": shanghai_date(guide.published_at),
        "conditions": [
            *({**each, "checked": True} for each in rules.filled(checked, values)),
            *(
                {**stated, "next_step": None, "checked": False}
                for stated in content["stated_conditions"]
            ),
        ],
        "time_limit": {"working_days": limit, "text": _limit_text(limit)},
        "contact": rules.contact_of(region, guide.content["contacts"]),
        "form": business.form,
    }


def conditions_of(business: rules.Business) -> list[dict[str, str]]:
    """What the form checks, as the guide tells it."""
    return [
        {"code": each.code, "text": each.text, "next_step": each.next_step}
        for each in business.conditions
    ]


def assessed(db: Session, item: str, asking: Asking) -> list[Finding]:
    """Each condition of a business, met or not by this person today.

    Raises:
        GuideNotFound
    """
    business = rules.business(item)
    found = assess(business.conditions, _SITUATIONS[item](db, asking))
    values = policy_values(db, asking.today)
    return [replace(each, text=rules.filled(each.text, values)) for each in found]


def _open(db: Session, model: type[PersonApplication], asking: Asking) -> OpenOne | None:
    return find_open(db, model, asking.person.key, asking.actor.id)


def _flexible(db: Session, asking: Asking) -> Any:
    applicant_id = asking.actor.id
    record = flexible.find_valid_record(db, applicant_id, hold=False)
    situation = flexible.situation(
        db, record, person=asking.person, applicant_id=applicant_id, today=asking.today
    )
    found = _open(db, FlexibleEmploymentApplication, asking)
    return replace(situation, open_application=found)


def _unemployment(db: Session, asking: Asking) -> Any:
    situation = unemployment.situation(db, asking.person, asking.actor, today=asking.today)
    found = _open(db, UnemploymentApplication, asking)
    return replace(situation, open_application=found)


def _certificate(db: Session, asking: Asking) -> Any:
    situation = certificate.situation(db, asking.person.key, asking.actor.id, hold=False)
    found = _open(db, CertificateApplication, asking)
    return replace(situation, open_application=found)


_SITUATIONS: Final[Mapping[str, Callable[[Session, Asking], Any]]] = {
    "flexible-employment": _flexible,
    "flexible-employment-change": _flexible,
    "flexible-employment-cancellation": _flexible,
    "unemployment": _unemployment,
    "service-place": lambda db, asking: unemployment.place_situation(
        db, asking.actor, today=asking.today
    ),
    "certificate": _certificate,
    "certificate-replacement": _certificate,
    "ending-objection": lambda db, asking: endings.situation(db, asking.actor, today=asking.today),
}


def _limit_text(working_days: int | None) -> str:
    if working_days is None:
        return "即时办结"
    # Both as the rules count: AL-09, and what registers are asked before officers see it (ER-09).
    begins = "自提交之日（须向有关部门核验的，自核验完成之日）起"
    return f"{begins}{working_days}个工作日内；补正期间不计入"
