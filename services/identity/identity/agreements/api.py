"""HTTP for what one agreed to."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from identity import unit_examples
from identity.accounts import agreements
from identity.accounts.api import AgreementSchema
from identity.agreements import actions, queries, rules
from identity.parts import parts
from identity.recovery import withdrawing
from servicekit.web.access import access, public, while_frozen
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "agreements", __name__, url_prefix="/api/identity/v1", description="协议与单独同意"
)


class AgreementTextSchema(AgreementSchema):
    """What is agreed to, word for word."""

    title = fields.Str(required=True)
    needed = fields.Bool(
        required=True, metadata={"description": "False for a separate consent (单独同意)."}
    )
    text = fields.List(fields.Str(), required=True)


class OwnAgreementSchema(AgreementSchema):
    """One agreement or consent as it stands for this account."""

    title = fields.Str(required=True)
    needed = fields.Bool(required=True)
    accepted = fields.Bool(required=True)


class AcceptanceSchema(Schema):
    """One version, accepted once."""

    agreement = fields.Str(required=True)
    version = fields.Str(required=True)
    accepted_at = fields.AwareDateTime(required=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)


class OwnAgreementsSchema(Schema):
    """What is in force and whether it is accepted, and everything that ever was."""

    items = fields.List(fields.Nested(OwnAgreementSchema), required=True)
    history = fields.List(fields.Nested(AcceptanceSchema), required=True)


@blueprint.route("/agreements/<name>", methods=["GET"])
@blueprint.response(200, AgreementTextSchema, example=unit_examples.AGREEMENT_TEXT)
@public
def show(name: str) -> agreements.Agreement:
    """An agreement or separate consent in its present version; 404 `agreement-not-found`."""
    found = agreements.find(name)
    if found is None:
        raise rules.NoAgreement
    return found


@blueprint.route("/me/agreements", methods=["GET"])
@blueprint.response(200, OwnAgreementsSchema, example=unit_examples.OWN_AGREEMENTS)
@access(Role.APPLICANT)
def list_own() -> dict[str, Any]:
    """What one agreed to, and what is owed (我的协议)."""
    with reading() as db:
        return _own(queries.list_acceptances(db, actor().id))


@blueprint.route("/me/agreements", methods=["POST"])
@blueprint.arguments(AgreementSchema, example=unit_examples.AGREEMENT)
@blueprint.response(200, OwnAgreementsSchema, example=unit_examples.OWN_AGREEMENTS)
@access(Role.APPLICANT)
def accept(given: dict[str, str]) -> dict[str, Any]:
    """Accept a version or give a separate consent (同意).

    422 `agreement-not-accepted` when another version is in force; 404 `agreement-not-found`.
    """
    with transaction() as db:
        actions.accept(db, actor().id, given["name"], given["version"], now=now())
        return _own(queries.list_acceptances(db, actor().id))


@blueprint.route("/me/agreements/<name>", methods=["DELETE"])
@blueprint.response(200, OwnAgreementsSchema, example=unit_examples.OWN_AGREEMENTS)
@access(Role.APPLICANT)
@while_frozen
def withdraw(name: str) -> dict[str, Any]:
    """Take a separate consent back (撤回同意).

    409 `agreement-needed` for what an account cannot be without; 404 `consent-not-given`.
    """
    with transaction() as db:
        withdrawing.withdraw_consent(db, actor().id, name, uploads=parts().uploads, now=now())
        return _own(queries.list_acceptances(db, actor().id))


def _own(accepted: list[Any]) -> dict[str, Any]:
    published = (*agreements.all_agreements(), *agreements.consents())
    items = [
        {
            "name": each.name,
            "version": each.version,
            "title": each.title,
            "needed": each.needed,
            "accepted": rules.holds(accepted, each.name, each.version),
        }
        for each in published
    ]
    return {"items": items, "history": accepted}
