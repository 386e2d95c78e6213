"""The papers of an application: tied to what they are for, asked for, and let go in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from employer_auth.authorisation_codes import rules
from employer_auth.authorisation_codes.model import AuthorisationApplication, AuthorisationCase
from employer_auth.authorisation_codes.rules import Handed
from employer_auth.files import Upload
from servicekit.file_kinds import FileKind
from servicekit.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Form:
    """What the agent ticks and hands in; a unit's files by unit, the agent's own apart."""

    units: Mapping[str, Sequence[str]]
    materials: Sequence[str] = field(default=())


def hand_in(
    db: Session,
    application: AuthorisationApplication,
    form: Form,
    *,
    uploads: Uploads[Upload],
    owner_id: str,
    now: datetime,
) -> None:
    """Tie the files to what they are for; those no longer named are let go."""
    _tie(db, application.id, form.materials, rules.OF_AGENT, "/materials", uploads, owner_id, now)
    for place, (unit_id, ids) in enumerate(form.units.items()):
        case = next(each for each in application.cases if each.unit_id == unit_id)
        if rules.is_editable(case.state):
            where = f"/units/{place}/materials"
            _tie(db, case.id, ids, rules.OF_UNIT, where, uploads, owner_id, now)


def _tie(
    db: Session,
    subject_id: str,
    ids: Sequence[str],
    allowed: Sequence[FileKind],
    place: str,
    uploads: Uploads[Upload],
    owner_id: str,
    now: datetime,
) -> None:
    rows = uploads.attach(db, ids, subject_id, owner_id=owner_id, now=now)
    rules.check_kinds([row.kind for row in rows], allowed, place)
    uploads.detach(db, subject_id, keep=ids, now=now)


def let_files_go(
    db: Session, application: AuthorisationApplication, uploads: Uploads[Upload], *, at: datetime
) -> None:
    """The files of what is decided go some days later; the agent's own when all is decided."""
    decided = [case for case in application.cases if rules.is_decided(case.state)]
    for case in decided:
        uploads.delete_later(db, case.id, at)
    if len(decided) == len(application.cases):
        uploads.delete_later(db, application.id, at)


def check_materials(
    db: Session,
    application: AuthorisationApplication,
    cases: Sequence[AuthorisationCase],
    uploads: Uploads[Upload],
) -> None:
    """Everything that is asked for has been handed in.

    Raises:
        Incomplete: every missing material of every unit, at once.
    """
    handed = [
        Handed(
            f"/units/{application.cases.index(case)}/materials",
            {row.kind for row in uploads.of_subject(db, case.id)},
        )
        for case in cases
    ]
    agents = {row.kind for row in uploads.of_subject(db, application.id)}
    rules.check_materials(handed, Handed("/materials", agents))
