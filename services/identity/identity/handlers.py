"""What identity does when others speak: it tells applicants and keeps bindings' versions."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from identity.cancellations import actions as cancellations
from identity.messages import actions, rules
from identity.officers import actions as officers
from identity.sign_in import mandates, sessions
from identity.sign_in.rules import EndReason
from identity.units import actions as units
from servicekit.facts import ApplicationMovedSchema
from servicekit.inbox import Envelope, Subscriptions

SUBSCRIPTIONS = Subscriptions("identity")
PUBLISHERS = (
    "employer-auth",
    "employment-registry",
    "recruitment",
    "stability-refund",
    "talent-card",
)


class BindingRevisedSchema(Schema):
    """What a refresh and a cancellation need to know of a binding."""

    binding_id = fields.Str(required=True)
    unit_id = fields.Str()
    person_id = fields.Str()
    version = fields.Int(required=True)
    state = fields.Str(required=True)


@SUBSCRIPTIONS.on("employer-auth.binding.revised.v1", reads=BindingRevisedSchema)
def keep_binding(db: Session, revised: dict[str, Any], envelope: Envelope) -> None:
    """An acting token of an older version is not renewed from now on (ID-41, ID-43)."""
    mandates.note_binding(
        db,
        revised["binding_id"],
        version=revised["version"],
        state=revised["state"],
        now=envelope.time,
    )
    cancellations.note_binding(
        db,
        revised["binding_id"],
        account_ids=[revised[name] for name in ("unit_id", "person_id") if name in revised],
        state=revised["state"],
        now=envelope.time,
    )


class ObjectionReadSchema(Schema):
    """Against which unit's account its legal representative objected."""

    unit_id = fields.Str(required=True)
    objection_id = fields.Str(required=True)


@SUBSCRIPTIONS.on("employer-auth.unit.frozen.v1", reads=ObjectionReadSchema)
def freeze_unit(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """Out at once, everywhere; who comes back by the unit's own account may read (EA-12)."""
    unit_id, now = said["unit_id"], envelope.time
    units.freeze(db, unit_id, since=now)
    sessions.end_all(db, unit_id, EndReason.FROZEN, now=now)
    about = {"unit_id": unit_id, "is_open": True, "now": now}
    cancellations.note_objection(db, said["objection_id"], **about)


@SUBSCRIPTIONS.on("employer-auth.unit.unfrozen.v1", reads=ObjectionReadSchema)
def unfreeze_unit(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """An officer lifted the objection; the next token says so."""
    units.freeze(db, said["unit_id"], since=None)
    about = {"unit_id": said["unit_id"], "is_open": False, "now": envelope.time}
    cancellations.note_objection(db, said["objection_id"], **about)


@SUBSCRIPTIONS.on_application("*", reads=ApplicationMovedSchema)
def tell_applicant(db: Session, moved: dict[str, Any], envelope: Envelope) -> None:
    """Write the message and queue the SMS (ID-48).

    The inbox lets an event in once, and both rows are written in its transaction, so a
    repetition tells nobody twice.
    """
    cancellations.note_application(
        db,
        envelope.subject,
        account_id=moved["applicant_id"],
        state=moved["after"],
        title=rules.matter_title(moved["business"]),
        now=envelope.time,
    )
    if not rules.is_told(moved["before"], moved["after"]):
        return  # saving a draft is no news
    words = {
        "matter": rules.matter_title(moved["business"]),
        "number": moved["number"] or "—",
    }
    actions.tell(
        db,
        moved["applicant_id"],
        f"application-{moved['after']}",
        words,
        subject=envelope.subject,
        now=envelope.time,
    )


class WalletCopiesReadSchema(Schema):
    """Whose certificate a wallet fetched, or who took the copies back."""

    applicant_id = fields.Str(required=True)
    change = fields.Str(required=True)


@SUBSCRIPTIONS.on("employment-registry.wallet.copies-changed.v1", reads=WalletCopiesReadSchema)
def tell_of_wallet(db: Session, changed: dict[str, Any], envelope: Envelope) -> None:
    """A copy in a stranger's wallet must not go unnoticed (ER-11)."""
    actions.tell(
        db,
        changed["applicant_id"],
        f"wallet-copies-{changed['change']}",
        {},
        subject=None,
        now=envelope.time,
    )


class ReviewHandedSchema(Schema):
    """Which officer is told of which application, and what of it."""

    officer_id = fields.Str(required=True)
    matter = fields.Str(required=True)
    business = fields.Str(required=True)
    number = fields.Str(required=True, allow_none=True)


@SUBSCRIPTIONS.on("employment-registry.review.handed.v1", reads=ReviewHandedSchema)
def tell_officer(db: Session, handed: dict[str, Any], envelope: Envelope) -> None:
    """An application was handed to an officer, or a colleague asks or answers (AL-10)."""
    words = {
        "matter": rules.matter_title(handed["business"]),
        "number": handed["number"] or "—",
    }
    actions.tell(
        db,
        handed["officer_id"],
        f"review-{handed['matter']}",
        words,
        subject=envelope.subject,
        now=envelope.time,
    )


class ExportEndedSchema(Schema):
    """Which officer waits for a spreadsheet no longer, and whether there is one."""

    officer_id = fields.Str(required=True)
    business = fields.Str(required=True)
    state = fields.Str(required=True)


@SUBSCRIPTIONS.on("employment-registry.review.export-ended.v1", reads=ExportEndedSchema)
def tell_of_export(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """So that nobody looks again and again whether it is there (AL-06)."""
    words = {"matter": rules.matter_title(said["business"])}
    name, subject = f"review-export-{said['state']}", envelope.subject
    actions.tell(db, said["officer_id"], name, words, subject=subject, now=envelope.time)


class CheckFailedSchema(Schema):
    """Which application could not be checked with other authorities."""

    applicant_id = fields.Str(required=True)
    business = fields.Str(required=True)
    number = fields.Str(required=True, allow_none=True)


@SUBSCRIPTIONS.on("employment-registry.outside-check.failed.v1", reads=CheckFailedSchema)
def tell_unchecked(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """The retries are used up: the person may ask for another try (ER-09)."""
    words = {"matter": rules.matter_title(said["business"]), "number": said["number"] or "—"}
    name, subject = "application-check-failed", envelope.subject
    actions.tell(db, said["applicant_id"], name, words, subject=subject, now=envelope.time)


class EndingAnnouncedSchema(Schema):
    """Which registration ends from which day on."""

    applicant_id = fields.Str(required=True)
    business = fields.Str(required=True)
    takes_effect_on = fields.Date(required=True)


@SUBSCRIPTIONS.on("employment-registry.ending.announced.v1", reads=EndingAnnouncedSchema)
def tell_of_ending(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """Before it takes effect, so that the person may object; why is not for an SMS (ER-07)."""
    day = said["takes_effect_on"]
    words = {
        "matter": rules.matter_title(said["business"]),
        "day": f"{day.year}年{day.month}月{day.day}日",
    }
    name, subject = "ending-announced", envelope.subject
    actions.tell(db, said["applicant_id"], name, words, subject=subject, now=envelope.time)


class CertificateReadSchema(Schema):
    """Whose certificate changed, and what it is worth."""

    applicant_id = fields.Str(required=True)
    validity = fields.Str(required=True)


@SUBSCRIPTIONS.on("employment-registry.certificate.changed.v1", reads=CertificateReadSchema)
def tell_of_certificate(db: Session, changed: dict[str, Any], envelope: Envelope) -> None:
    """Nobody learns at a counter that their certificate was revoked (CRT-02)."""
    if changed["validity"] != "revoked":
        return  # issued and replaced ones follow a registration or an application, told by itself
    actions.tell(
        db,
        changed["applicant_id"],
        "certificate-revoked",
        {},
        subject=envelope.subject,
        now=envelope.time,
    )


class BusinessSchema(Schema):
    """What an appointment of an officer needs to know of a business."""

    code = fields.Str(required=True)
    title = fields.Str(required=True)
    retired = fields.Bool(required=True)


def keep_business(db: Session, said: dict[str, Any], envelope: Envelope) -> None:
    """Officers may be appointed to it from now on, or no more (ID-45)."""
    officers.keep_business(db, **said, now=envelope.time)


for _service in PUBLISHERS:
    SUBSCRIPTIONS.on(f"{_service}.business.published.v1", reads=BusinessSchema)(keep_business)
