"""What a unit's registration and own data look like on the wire."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from identity.accounts.api import AgreementSchema
from identity.units import actions, form_rules, rules
from identity.units.rules import CertificateKind
from servicekit.identifiers import DocumentKind

_TEXT: Final = validate.Length(max=200)
_SHORT: Final = validate.Length(max=100)


class AgentSchema(Schema):
    """Step 1: the verified personal account of the person who registers the unit."""

    login_name = fields.Str(required=True, validate=validate.Length(1, 100))
    document_number = fields.Str(required=True, validate=validate.Length(1, 40))


class AgentShownSchema(Schema):
    """Who was found, masked."""

    name = fields.Function(lambda a: str(a.person.name), required=True)
    phone = fields.Str(required=True)


class RegistrationBegunSchema(Schema):
    """The ticket for step 2; it is told once."""

    id = fields.Str(attribute="registration.id", required=True)
    ticket = fields.Str(required=True)
    expires_at = fields.AwareDateTime(attribute="registration.expires_at", required=True)
    agent = fields.Nested(AgentShownSchema, required=True)


class TicketSchema(Schema):
    """The ticket of step 1."""

    ticket = fields.Str(required=True, validate=_SHORT)


BLANK: Final[dict[str, Any]] = {
    **dict.fromkeys(
        ("certificate_number", "name", "region", "address", "legal_name", "legal_phone"), ""
    ),
    **dict.fromkeys(
        ("legal_document_number", "login_name", "password", "password_again", "sms_code"), ""
    ),
    "certificate_type": CertificateKind.USCC,
    "legal_document_type": DocumentKind.RESIDENT_CARD,
    "agreements": [],
}


class UnitFormSchema(TicketSchema):
    """Step 2: everything about the unit (单位信息); a blank field is judged with the others."""

    certificate_type = fields.Enum(CertificateKind, by_value=True, required=True)
    certificate_number = fields.Str(required=True, validate=_SHORT)
    name = fields.Str(required=True, validate=_TEXT)
    region = fields.Str(required=True, validate=_SHORT, metadata={"example": "440106"})
    address = fields.Str(required=True, validate=_TEXT)
    legal_name = fields.Str(required=True, validate=_SHORT)
    legal_document_type = fields.Enum(
        DocumentKind, by_value=True, load_default=DocumentKind.RESIDENT_CARD
    )
    legal_document_number = fields.Str(required=True, validate=_SHORT)
    legal_phone = fields.Str(required=True, validate=_SHORT)
    login_name = fields.Str(required=True, validate=_SHORT)
    password = fields.Str(required=True, validate=_TEXT)
    password_again = fields.Str(required=True, validate=_TEXT)
    sms_code = fields.Str(required=True, validate=_SHORT)
    agreements = fields.List(
        fields.Nested(AgreementSchema), required=True, validate=validate.Length(max=20)
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> tuple[str, form_rules.UnitForm]:
        ticket = data.pop("ticket", "")
        accepted = {a["name"]: a["version"] for a in data.pop("agreements")}
        return ticket, form_rules.UnitForm(agreements=accepted, **data)


class NumberAskedSchema(Schema):
    """Which number."""

    certificate_type = fields.Enum(CertificateKind, by_value=True, required=True)
    certificate_number = fields.Str(required=True, validate=_SHORT)


class NumberCheckedSchema(Schema):
    """Whether a unit registered with it, and what to do then."""

    in_use = fields.Bool(required=True)
    message = fields.Str(required=True, allow_none=True)
    recovery = fields.Str(
        required=True,
        allow_none=True,
        metadata={"description": "Where the unit's password is reset (密码找回)."},
    )


class UnitSchema(Schema):
    """The unit's own data; personal values are masked here too."""

    id = fields.Str(attribute="account_id", required=True)
    login_name = fields.Function(lambda u: u.account.login_name.expose(), required=True)
    certificate_type = fields.Enum(CertificateKind, by_value=True, required=True)
    certificate_number = fields.Str(required=True)
    name = fields.Str(required=True)
    region = fields.Str(required=True)
    address = fields.Function(lambda u: u.address.expose(), required=True)
    legal_name = fields.Str(required=True)
    legal_document_type = fields.Str(required=True)
    legal_document_number = fields.Str(required=True)
    legal_phone = fields.Str(required=True)
    phone = fields.Str(attribute="account.phone", required=True)
    email = fields.Str(attribute="account.email", required=True, allow_none=True)
    province_level = fields.Int(attribute="account.province_level", required=True)
    verified = fields.Function(lambda u: rules.is_verified(u.account.province_level), required=True)
    does_business = fields.Function(
        lambda u: rules.does_business(u.certificate_type),
        required=True,
        metadata={"description": "False for an organisation code (ID-26)."},
    )
    created_at = fields.AwareDateTime(attribute="account.created_at", required=True)
    version = fields.Int(required=True)


class FormerUnitSchema(Schema):
    """What the unit was called, from when until when."""

    name = fields.Str(required=True)
    legal_name = fields.Str(required=True)
    valid_from = fields.AwareDateTime(required=True)
    valid_until = fields.AwareDateTime(required=True)


class FormerUnitListSchema(Schema):
    """Everything it was called."""

    items = fields.List(fields.Nested(FormerUnitSchema), required=True)


class UnitDataSchema(Schema):
    """What the unit changes by itself; number and login name are named only to be refused."""

    region = fields.Str(validate=_SHORT)
    address = fields.Str(validate=_TEXT)
    email = fields.Email(allow_none=True, validate=_TEXT)
    phone = fields.Str(validate=_SHORT)
    sms_code = fields.Str(validate=_SHORT)
    old_sms_code = fields.Str(validate=_SHORT)
    email_sms_code = fields.Str(validate=_SHORT)
    certificate_type = fields.Raw(metadata={"description": "Refused (ID-28)."})
    certificate_number = fields.Raw(metadata={"description": "Refused (ID-28)."})
    login_name = fields.Raw(metadata={"description": "Refused."})


class NameChangeSchema(Schema):
    """The new name, the new representative, or both (单位名称修改)."""

    name = fields.Str(validate=_TEXT)
    legal_name = fields.Str(validate=_SHORT)
    legal_document_type = fields.Enum(DocumentKind, by_value=True)
    legal_document_number = fields.Str(validate=_SHORT)
    legal_phone = fields.Str(validate=_SHORT)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> actions.NameChange:
        return actions.NameChange(**data)
