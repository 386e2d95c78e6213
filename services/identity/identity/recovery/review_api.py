"""HTTP for officers who review recoveries: two queues, decisions, photographs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask import Response
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from identity.parts import parts
from identity.recovery import review_actions, review_schemas, rules
from identity.recovery.model import PersonRecovery, UnitRecovery, Upload
from servicekit.reviewing import Reviews
from servicekit.web import versions
from servicekit.web.access import access, unkeyed
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.review_routes import Shown, add_reviews
from servicekit.web.reviewing import MAX_REASON
from servicekit.web.session import actor, now, transaction
from servicekit.web.uploads import file_response, sent
from servicekit.workflow import Role

R = TypeVar("R", bound=PersonRecovery | UnitRecovery)
_PREFIX = "/api/identity/v1"


class Deciding(Reviews[R]):
    """The kit's reviews, with what a decision does here."""

    def decide(
        self, db: Session, move: str, application_id: str, *, now: datetime, **said: Any
    ) -> R:
        """Move the case, then send what it means to the phones.

        Raises:
            NotMatched, SameOfficer, and what the kit's ``decide`` raises.
        """
        case = super().decide(db, move, application_id, now=now, **said)
        review_actions.after(db, case, move, actor=said["actor"], means=means(), now=now)
        return case


def means() -> review_actions.Means:
    """What a decision needs of the application that answers."""
    own = parts()
    return review_actions.Means(
        hasher=own.hasher,
        vault=own.counts.vault,
        uploads=own.uploads,
        kept_for=timedelta(days=own.settings.recovery_photos_kept_days),
        stop_address=f"{own.settings.public_url}/identity/recovery/stop",
    )


class LookSchema(Schema):
    """Why an officer looks at a photograph."""

    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])


PERSONS: Deciding[PersonRecovery] = Deciding(
    workflow=rules.PERSON_WORKFLOW,
    model=PersonRecovery,
    filed=rules.FILED,
    not_found=rules.NoCase,
)
UNITS: Deciding[UnitRecovery] = Deciding(
    workflow=rules.UNIT_WORKFLOW,
    model=UnitRecovery,
    filed=rules.FILED,
    not_found=rules.NoCase,
)
_CORRECTABLE = tuple(f"/files/{kind.code}" for kind in rules.KINDS)

person_reviews = Blueprint(
    "person-recovery-reviews",
    __name__,
    url_prefix=f"{_PREFIX}/person-recovery-reviews",
    description="个人账号找回：审核",
)
add_reviews(
    person_reviews,
    PERSONS,
    Shown(
        row=review_schemas.PersonRecoveryRowSchema,
        view=review_schemas.PersonRecoverySchema,
        example_row=review_schemas.EXAMPLE_PERSON_ROW,
        example=review_schemas.EXAMPLE_PERSON,
        reasons=rules.REASONS,
        correctable=_CORRECTABLE,
        revealable=("contact_name", "contact_phone", "document_number", "login_name"),
    ),
)
unit_reviews = Blueprint(
    "unit-recovery-reviews",
    __name__,
    url_prefix=f"{_PREFIX}/unit-recovery-reviews",
    description="单位账号找回：审核",
)
add_reviews(
    unit_reviews,
    UNITS,
    Shown(
        row=review_schemas.UnitRecoveryRowSchema,
        view=review_schemas.UnitRecoverySchema,
        example_row=review_schemas.EXAMPLE_UNIT_ROW,
        example=review_schemas.EXAMPLE_UNIT,
        reasons=rules.REASONS,
        correctable=_CORRECTABLE,
        revealable=("contact_name", "contact_phone"),
    ),
)


@unit_reviews.route("/<application_id>/endorse", methods=["POST"])
@access(Role.REVIEWER, business=rules.UNIT_WORKFLOW.name)
@unit_reviews.arguments(NoteSchema, example={"note": "材料齐全，公章清晰"})
@unit_reviews.response(200, review_schemas.UnitRecoverySchema, example=review_schemas.EXAMPLE_UNIT)
def endorse(body: dict[str, Any], application_id: str) -> UnitRecovery:
    """The first of two officers finds it good; another one approves (初审通过).

    409 `claimed-by-other`, `wrong-state`, `changed-meanwhile`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        case = UNITS.decide(
            db,
            "endorse",
            application_id,
            actor=actor(),
            now=now(),
            note=body["note"],
            seen=seen,
        )
        return versions.tag(case)


def _add_files(to: Blueprint, reviews: Deciding[Any]) -> None:
    @to.route("/<application_id>/files/<upload_id>/look", methods=["POST"])
    @unkeyed
    @access(Role.REVIEWER, business=reviews.workflow.name)
    @to.arguments(LookSchema, example={"reason": "与登记信息核对"})
    @file_response(to)
    def look(body: dict[str, str], application_id: str, upload_id: str) -> Response:
        """A photograph as it was kept; the look is on record (查看照片).

        404 `recovery-not-found`, `upload-not-found`.
        """
        uploads = parts().uploads
        with transaction() as db:
            case = reviews.find(db, application_id, actor())
            row = uploads.find(db, upload_id, Upload.subject_id == case.id)
            data = uploads.look(db, row, actor=actor(), reason=body["reason"], now=now())
            return sent(row, data)


_add_files(person_reviews, PERSONS)
_add_files(unit_reviews, UNITS)
