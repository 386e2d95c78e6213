"""HTTP for registering a unit and for the unit's own data."""

from __future__ import annotations

from typing import Any, Final

from flask import request

from identity import examples, unit_examples
from identity.accounts import agreements
from identity.parts import client_address, parts
from identity.sign_in import browser
from identity.sms_codes.api import SmsCodeSentSchema
from identity.sms_codes.rules import LIFE, PAUSE
from identity.units import actions, form_rules, queries, registering, rules, schemas
from identity.units.model import Unit
from servicekit import messages
from servicekit.clock import shanghai_date
from servicekit.errors import FieldError
from servicekit.web import versions
from servicekit.web.access import access, public, unkeyed
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint("units", __name__, url_prefix="/api/identity/v1", description="单位账号")

RECOVERY: Final = "/identity/recovery"


class JudgingFormSchema(schemas.UnitFormSchema):
    """The same, judged field by field when others are missing (AL-01)."""

    def judge(self, valid: dict[str, Any]) -> list[FieldError]:
        """What the rules find wrong in the fields that are there."""
        _, form = self.build({**schemas.BLANK, **valid})
        try:
            form_rules.check_unit(
                form,
                parts().password_policy,
                agreements=agreements.in_force(),
                today=shanghai_date(now()),
            )
        except rules.UnitRefused as refusal:
            return [f for f in refusal.fields if f.field[1:] in valid]
        return []


@blueprint.route("/unit-registrations", methods=["POST"])
@blueprint.arguments(schemas.AgentSchema, example=unit_examples.UNIT_AGENT)
@blueprint.response(201, schemas.RegistrationBegunSchema, example=unit_examples.UNIT_BEGUN)
@unkeyed
@public
def begin(agent: dict[str, str]) -> registering.Begun:
    """Step 1 of a unit's registration: the agent's verified personal account (单位注册).

    422 `agent-not-matched`, the same whether login name or number is wrong; 403
    `realname-level-too-low` with the ways to raise it; 409 `person-record-conflict`; 429
    `too-many-unit-registrations`.
    """
    own = parts()
    with transaction() as db:
        return registering.begin(
            db,
            **agent,
            address=client_address(),
            cookie=request.cookies.get(browser.DEVICE_COOKIE),
            limits=own.unit_limits,
            counts=own.counts,
            now=now(),
        )


@blueprint.route("/unit-registrations/<registration_id>/sms-code", methods=["POST"])
@blueprint.arguments(schemas.TicketSchema, example=unit_examples.UNIT_TICKET)
@blueprint.response(202, SmsCodeSentSchema, example=examples.SMS_CODE_SENT)
@unkeyed
@public
def send_code(asked: dict[str, str], registration_id: str) -> dict[str, int]:
    """Send the code of step 2 to the agent's phone (获取验证码).

    404 `unit-registration-not-found`; 429 `too-many-sms-codes`.
    """
    own = parts()
    with transaction() as db:
        found = queries.find_registration(db, registration_id, asked["ticket"], now=now())
        registering.send_code(
            db,
            found,
            address=client_address(),
            limits=own.sms_limits,
            counts=own.counts,
            now=now(),
        )
    return {"expires_in": int(LIFE.total_seconds()), "resend_after": int(PAUSE.total_seconds())}


@blueprint.route("/unit-registrations/<registration_id>/unit", methods=["POST"])
@blueprint.arguments(JudgingFormSchema, example=unit_examples.UNIT_FORM)
@blueprint.response(201, schemas.UnitSchema, example=unit_examples.UNIT)
@unkeyed
@public
def complete(given: tuple[str, form_rules.UnitForm], registration_id: str) -> Unit:
    """Steps 2 and 3: the unit's data, and the account is open (单位注册).

    The ticket is the key: sent again, it answers with the same unit. 422
    `unit-registration-refused` with every wrong field; 409 `unit-id-taken`, `username-taken`, ten
    times an hour and agent, then 429 `too-many-registrations`; 404 `unit-registration-not-found`.
    """
    own, (ticket, form) = parts(), given
    with transaction() as db:
        found = queries.find_registration(db, registration_id, ticket, now=now(), lock=True)
        return registering.complete(
            db,
            found,
            form,
            policy=own.password_policy,
            hasher=own.hasher,
            counts=own.counts,
            now=now(),
        )


@blueprint.route("/unit-number-checks", methods=["POST"])
@blueprint.arguments(schemas.NumberAskedSchema, example=unit_examples.UNIT_NUMBER)
@blueprint.response(200, schemas.NumberCheckedSchema, example=unit_examples.UNIT_NUMBER_CHECKED)
@unkeyed
@public
def check_number(asked: dict[str, Any]) -> dict[str, Any]:
    """Has a unit registered with this number (ID-22)? A unit's number is public.

    422 with the number's fault; 429 `too-many-number-checks`.
    """
    own = parts()
    with reading() as db:
        in_use = registering.is_in_use(
            db,
            asked["certificate_type"],
            asked["certificate_number"],
            address=client_address(),
            limits=own.unit_limits,
            counts=own.counts,
            now=now(),
        )
    told = messages.UNIT_ID_TAKEN.text if in_use else None
    return {"in_use": in_use, "message": told, "recovery": RECOVERY if in_use else None}


@blueprint.route("/unit", methods=["GET"])
@blueprint.response(200, schemas.UnitSchema, example=unit_examples.UNIT)
@access(Role.APPLICANT, kinds=("unit",))
def show_unit() -> Unit:
    """The unit's own data, for its own account (单位信息)."""
    with reading() as db:
        return versions.tag(queries.find_unit(db, actor().id))


@blueprint.route("/unit", methods=["PATCH"])
@blueprint.arguments(schemas.UnitDataSchema, example=unit_examples.UNIT_DATA)
@blueprint.response(200, schemas.UnitSchema, example=unit_examples.UNIT)
@access(Role.APPLICANT, kinds=("unit",))
def change_unit(changes: dict[str, Any]) -> Unit:
    """Change the unit's address, region and contact (修改账号信息).

    422 `unit-change-refused`; number and login name never change: their fields answer with
    `uscc-cannot-change` and `login-name-cannot-change`.
    """
    with transaction() as db:
        unit = versions.check(queries.find_unit(db, actor().id))
        actions.change_data(db, unit, changes, counts=parts().counts, now=now())
        db.flush()
        return versions.tag(unit)


@blueprint.route("/unit/name-changes", methods=["POST"])
@blueprint.arguments(schemas.NameChangeSchema, example=unit_examples.UNIT_NAME_CHANGE)
@blueprint.response(200, schemas.UnitSchema, example=unit_examples.UNIT)
@access(Role.APPLICANT, kinds=("unit",))
def change_name(change: actions.NameChange) -> Unit:
    """Change the unit's name or legal representative, checked against the base (单位名称修改).

    403 `unit-not-verified`; 422 `unit-change-refused`, `legal-person-base-disagrees`; 503
    `external-unavailable`: send it again with the same key.
    """
    own = parts()
    with transaction() as db:
        unit = queries.find_unit(db, actor().id)
        actions.change_name(
            db,
            unit,
            change,
            by=actor().person_id or actor().id,
            base=own.legal_person_base,
            now=now(),
        )
        db.flush()
        return versions.tag(unit)


@blueprint.route("/unit/former-names", methods=["GET"])
@blueprint.response(200, schemas.FormerUnitListSchema, example=unit_examples.UNIT_FORMER)
@access(Role.APPLICANT, kinds=("unit",))
def list_former() -> dict[str, Any]:
    """What the unit was called and who represented it, from when until when."""
    with reading() as db:
        return {"items": queries.list_former(db, actor().id)}
