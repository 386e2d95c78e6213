"""Publish a new version of a guide; the ones before it stay readable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from employment_registry import guide_versions
from employment_registry.events import FACTS, GuidePublished
from employment_registry.guide_versions import GuideVersion
from employment_registry.guides import queries, rules
from employment_registry.places import check_province
from servicekit.applications import Actor, record
from servicekit.db import new_id
from servicekit.errors import ChangedMeanwhile
from servicekit.outbox import announce
from servicekit.uniqueness import refusing_a_second

RECORD: Final = "employment-registry.guides"  # the chained history of what was published


@dataclass(frozen=True, slots=True)
class Text:
    """What an admin publishes in place of the version they saw."""

    replaces: int
    title: str
    content: Mapping[str, Any]


def publish(db: Session, item: str, text: Text, *, actor: Actor, now: datetime) -> GuideVersion:
    """Put a new version in force at once, with the conditions the form checks now.

    Raises:
        ProvinceOnly, GuideNotFound, GuideIncomplete
        ChangedMeanwhile: another admin published since they read it.
    """
    check_province(actor.region)
    business = rules.business(item)
    newest = db.scalar(queries.versions(item).where(GuideVersion.version == text.replaces))
    if newest is None:
        raise ChangedMeanwhile
    rules.check_content(text.content, business, newest.content)
    made = GuideVersion(
        id=new_id(),
        item=item,
        version=text.replaces + 1,
        title=text.title,
        content=dict(text.content),
        conditions=queries.conditions_of(business),
        published_by=actor.id,
        published_at=now,
    )
    with refusing_a_second(db, ChangedMeanwhile):
        db.add(made)
    _tell(db, made, actor=actor, now=now)
    return made


def _tell(db: Session, made: GuideVersion, *, actor: Actor, now: datetime) -> None:
    record(
        db,
        RECORD,
        made.id,
        "publish",
        before=str(made.version - 1),
        after=str(made.version),
        actor=actor,
        now=now,
        note=made.item,
    )
    values = {"item": made.item, "version": made.version}
    announce(db, FACTS.of(GuidePublished, subject=made.item, now=now, **values))
    guide_versions.published(db)
