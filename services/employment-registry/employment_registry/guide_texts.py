"""Guides as they are read: the policies filled in, and the entry that a ready reason rests on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from employment_registry import guide_versions
from employment_registry.guide_versions import GuideVersion
from employment_registry.guides import rules
from employment_registry.policies import POLICIES
from employment_registry.policy_kinds import LookBack, ServicePlacePause
from employment_registry.working_age import WorkingAge

SECTIONS: Final = {"conditions": ("办理条件", "condition"), "materials": ("申请材料", "material")}


def policy_values(db: Session, day: date) -> Mapping[str, object]:
    """What stands for the placeholders on a day."""
    return {
        "youngest_years": POLICIES.in_force(db, WorkingAge, day).youngest_years,
        "pause_days": POLICIES.in_force(db, ServicePlacePause, day).length.days,
        "look_back_days": POLICIES.in_force(db, LookBack, day).length.days,
    }


def find_entry(
    db: Session, item: str, rests_on: str, *, day: date, version: int | None = None
) -> dict[str, str] | None:
    """The condition or material of a guide that a ready reason is about, and where it stands.

    Args:
        rests_on: ``conditions/working-age``, ``materials/phone``.
        version: the guide the application was filed under; where that has no such entry, or none
            is given, the newest answers.
    """
    newest = guide_versions.newest(db)[item]
    for guide in (_version(db, item, version), newest):
        text = None if guide is None else rules.entry(guide.content, guide.conditions, rests_on)
        if guide is not None and text is not None:
            section, _, code = rests_on.partition("/")
            label, anchor = SECTIONS[section]
            asked = "" if guide.version == newest.version else f"?version={guide.version}"
            return {
                "guide": item,
                "section": section,
                "section_label": label,
                "code": code,
                "text": rules.filled(text, policy_values(db, day)),
                "link": f"/guides/{item}{asked}#{anchor}-{code}",
            }
    return None


def _version(db: Session, item: str, version: int | None) -> GuideVersion | None:
    if version is None:
        return None
    of_item = GuideVersion.item == item
    return db.scalar(select(GuideVersion).where(of_item, GuideVersion.version == version))
