"""What the registry announces beyond the states of its applications."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from servicekit.applications import system_actor
from servicekit.facts import Facts
from servicekit.leaked_keys import EXAMPLE, SigningKeyWithdrawn
from servicekit.teamwork import telling

FACTS = Facts("employment-registry")
ITSELF: Final = system_actor(FACTS.service)  # moves what neither a person nor an officer does
FACTS.fact("signing-key.withdrawn", v=1, example=EXAMPLE)(SigningKeyWithdrawn)
TELLER = telling.declare(FACTS)


@FACTS.fact(
    "flexible-employment.record-changed",
    v=1,
    example={
        "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "application_id": "01890a5d-ac96-774b-bcce-b302099a8058",
        "is_valid": True,
        "version": 1,
        "region": "440106001",
    },
)
class FlexibleEmploymentRecordChanged(Schema):
    """A person's flexible-employment record began, changed or ended.

    The states of applications cannot say this: a change is approved too, and the applications of
    one person are separate subjects, told in no order between them.
    """

    applicant_id = fields.Str(required=True)
    application_id = fields.Str(required=True)
    is_valid = fields.Bool(required=True)
    version = fields.Int(required=True)
    region = fields.Str(required=True)


@FACTS.fact(
    "unemployment.record-changed",
    v=1,
    example={
        "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "application_id": "01890a5d-ac96-774b-bcce-b302099a8058",
        "is_valid": True,
        "version": 2,
        "region": "440106003",
    },
)
class UnemploymentRecordChanged(Schema):
    """A person's unemployment registration began or ended, or another office serves it."""

    applicant_id = fields.Str(required=True)
    application_id = fields.Str(required=True)
    is_valid = fields.Bool(required=True)
    version = fields.Int(required=True)
    region = fields.Str(required=True)


@FACTS.fact(
    "ending.announced",
    v=1,
    example={
        "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "ending_id": "01890a5d-ac96-774b-bcce-b302099a8060",
        "business": "employment-registry.unemployment",
        "takes_effect_on": "2026-10-20",
    },
)
class EndingAnnounced(Schema):
    """A registration will end on a day; until then the person may object (ER-07).

    Why it ends is the person's own.
    """

    applicant_id = fields.Str(required=True)
    ending_id = fields.Str(required=True)
    business = fields.Str(required=True)
    takes_effect_on = fields.Date(required=True)


@FACTS.fact(
    "outside-check.failed",
    v=1,
    example={
        "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "application_id": "01890a5d-ac96-774b-bcce-b302099a8058",
        "business": "employment-registry.unemployment",
        "number": "440106-02-20260929-000001-2",
    },
)
class OutsideCheckFailed(Schema):
    """A register did not answer, tries included; the person may ask for another try (ER-09)."""

    applicant_id = fields.Str(required=True)
    application_id = fields.Str(required=True)
    business = fields.Str(required=True)
    number = fields.Str(required=True, allow_none=True)


@FACTS.fact(
    "certificate.changed",
    v=1,
    example={
        "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "certificate_id": "01890a5d-ac96-774b-bcce-b302099a8059",
        "validity": "valid",
        "version": 1,
        "region": "440106003",
    },
)
class CertificateChanged(Schema):
    """A certificate was issued, replaced or revoked."""

    applicant_id = fields.Str(required=True)
    certificate_id = fields.Str(required=True)
    validity = fields.Str(required=True)
    version = fields.Int(required=True)
    region = fields.Str(required=True)


@FACTS.fact(
    "policies.changed",
    v=1,
    example={
        "policy_id": "01890a5d-ac96-774b-bcce-b302099a8060",
        "kind": "review-limit",
        "status": "active",
        "in_force_from": "2027-01-01",
    },
)
class PolicyChanged(Schema):
    """A policy was drafted, activated for its first day, or withdrawn before it."""

    policy_id = fields.Str(required=True)
    kind = fields.Str(required=True)
    status = fields.Str(required=True)
    in_force_from = fields.Date(required=True)


@FACTS.fact(
    "wallet.copies-changed",
    v=1,
    example={
        "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "change": "added",
        "region": "440106003",
    },
)
class WalletCopiesChanged(Schema):
    """A wallet fetched the person's certificate; they took the copies back, or we ended them."""

    applicant_id = fields.Str(required=True)
    change = fields.Str(required=True, validate=validate.OneOf(("added", "taken-back", "ended")))
    region = fields.Str(required=True)


@FACTS.fact("guides.published", v=1, example={"item": "unemployment", "version": 2})
class GuidePublished(Schema):
    """A service guide has a new version."""

    item = fields.Str(required=True)
    version = fields.Int(required=True)
