"""HTTP for registrations and one's own data."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from identity import examples
from identity.accounts import actions, agreements, rules
from identity.accounts.model import Account
from identity.parts import parts
from servicekit.clock import shanghai_date
from servicekit.errors import FieldError
from servicekit.identifiers import DocumentKind
from servicekit.web import versions
from servicekit.web.access import access, public
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint("accounts", __name__, url_prefix="/api/identity/v1", description="个人账号")

_EVERYBODY = (Role.APPLICANT, Role.WINDOW, Role.REVIEWER, Role.APPROVER, Role.ADMIN)


class AgreementSchema(Schema):
    """An agreement in one version."""

    name = fields.Str(required=True)
    version = fields.Str(required=True)


class AgreementInForceSchema(AgreementSchema):
    """The same with its title."""

    title = fields.Str(required=True)


class AgreementListSchema(Schema):
    """What has to be accepted."""

    items = fields.List(fields.Nested(AgreementInForceSchema), required=True)


_BLANK: Final[dict[str, Any]] = {
    **dict.fromkeys(
        ("name", "document_number", "login_name", "password", "password_again", "phone"), ""
    ),
    "sms_code": "",
    "document_type": DocumentKind.RESIDENT_CARD,
    "agreements": [],
}


class RegistrationSchema(Schema):
    """What a visitor fills in (个人实名信息); a blank field is judged with the others."""

    name = fields.Str(required=True, validate=validate.Length(max=100))
    document_type = fields.Enum(DocumentKind, by_value=True, required=True)
    document_number = fields.Str(required=True, validate=validate.Length(max=40))
    birth_date = fields.Date(
        load_default=None, metadata={"description": "证件号码不含出生日期时填写"}
    )
    sex = fields.Enum(rules.Sex, by_value=True, load_default=None)
    login_name = fields.Str(required=True, validate=validate.Length(max=100))
    password = fields.Str(required=True, validate=validate.Length(max=200))
    password_again = fields.Str(required=True, validate=validate.Length(max=200))
    phone = fields.Str(required=True, validate=validate.Length(max=40))
    sms_code = fields.Str(required=True, validate=validate.Length(max=20))
    agreements = fields.List(
        fields.Nested(AgreementSchema), required=True, validate=validate.Length(max=20)
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> rules.Form:
        accepted = {a["name"]: a["version"] for a in data.pop("agreements")}
        return rules.Form(agreements=accepted, **data)

    def judge(self, valid: dict[str, Any]) -> list[FieldError]:
        """What the rules find wrong in the fields that are there, when others are not (AL-01)."""
        form = self.build({**_BLANK, **valid})
        try:
            rules.check_form(
                form,
                parts().password_policy,
                agreements=agreements.in_force(),
                today=shanghai_date(now()),
            )
        except rules.RegistrationRefused as refusal:
            told = [f for f in refusal.fields if f.field[1:] in valid]
            # A number means nothing without its kind.
            return [f for f in told if f.field != "/document_number" or "document_type" in valid]
        return []


class PersonSchema(Schema):
    """The real-name data, masked."""

    name = fields.Str(required=True)
    document_type = fields.Str(required=True)
    document_number = fields.Str(required=True)


class AccountSchema(Schema):
    """One's own account; personal values are masked here too."""

    id = fields.Str(required=True)
    kind = fields.Enum(rules.Kind, by_value=True, required=True)
    login_name = fields.Function(lambda a: a.login_name.expose(), required=True)
    level = fields.Int(required=True)
    phone = fields.Str(required=True)
    email = fields.Str(allow_none=True, required=True)
    person = fields.Nested(PersonSchema, allow_none=True, required=True)
    created_at = fields.AwareDateTime(required=True)
    version = fields.Int(required=True)


class OwnDataSchema(Schema):
    """What the owner may change; number and login name are named only to be refused."""

    phone = fields.Str(validate=validate.Length(1, 40))
    sms_code = fields.Str(
        validate=validate.Length(1, 20), metadata={"description": "Sent to the new phone."}
    )
    old_sms_code = fields.Str(
        validate=validate.Length(1, 20), metadata={"description": "Sent to the phone of so far."}
    )
    email = fields.Email(allow_none=True, validate=validate.Length(max=200))
    email_sms_code = fields.Str(
        validate=validate.Length(1, 20),
        metadata={"description": "Sent to the account's own phone, purpose change-email."},
    )
    login_name = fields.Raw(metadata={"description": "Refused: it never changes."})
    document_type = fields.Raw(metadata={"description": "Refused: it never changes."})
    document_number = fields.Raw(metadata={"description": "Refused: it never changes."})


@blueprint.route("/agreements", methods=["GET"])
@blueprint.response(200, AgreementListSchema, example=examples.AGREEMENTS)
@public
def list_agreements() -> dict[str, Any]:
    """The agreements and versions in force (用户服务协议, 隐私政策)."""
    return {"items": agreements.all_agreements()}


@blueprint.route("/registrations", methods=["POST"])
@blueprint.arguments(RegistrationSchema, example=examples.REGISTRATION)
@blueprint.response(201, AccountSchema, example=examples.ACCOUNT)
@public
def register(form: rules.Form) -> Account:
    """Register a person (个人注册).

    422 `registration-refused` with every wrong field, `sms-code-wrong` among them; 409
    `username-taken`, `person-id-taken` with the fields, told only to who holds the phone, ten
    times an hour; 429 `too-many-registrations`.
    """
    own = parts()
    with transaction() as db:
        return actions.register(
            db,
            form,
            policy=own.password_policy,
            hasher=own.hasher,
            counts=own.counts,
            now=now(),
        )


@blueprint.route("/me", methods=["GET"])
@blueprint.response(200, AccountSchema, example=examples.ACCOUNT)
@access(*_EVERYBODY)
def show_me() -> Account:
    """One's own account (账号信息)."""
    with reading() as db:
        return versions.tag(actions.find(db, _own_id()))


@blueprint.route("/me", methods=["PATCH"])
@blueprint.arguments(OwnDataSchema, example=examples.OWN_DATA)
@blueprint.response(200, AccountSchema, example=examples.ACCOUNT)
@access(*_EVERYBODY)
def change_me(changes: dict[str, Any]) -> Account:
    """Change phone (with a code sent to the old and one to the new) or e-mail (修改账号信息).

    422 `own-data-refused`; number and login name never change.
    """
    with transaction() as db:
        account = versions.check(actions.find(db, _own_id()))
        actions.change_own(db, account, changes, counts=parts().counts, now=now())
        db.flush()
        return versions.tag(account)


def _own_id() -> str:
    # The human, also when acting for a unit: the account page is a person's own.
    return actor().person_id or actor().id
