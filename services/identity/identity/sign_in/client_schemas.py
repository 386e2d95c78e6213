"""The JSON of clients and consents."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from identity.sign_in import client_rules
from identity.sign_in.client_rules import Registration

_URIS: Final = validate.Length(max=20)
_URI: Final = validate.Length(1, 500)
_ID: Final = "01890a5d-ac96-774b-bcce-b302099a8051"
_TIME: Final = "2026-03-02T01:30:00+00:00"
REGISTRATION: Final = {
    "name": "广州市示例政务系统",
    "auth_method": "client_secret_basic",
    "redirect_uris": ["https://service.example/callback"],
    "post_logout_redirect_uris": ["https://service.example/"],
    "backchannel_logout_uri": "https://service.example/logout-token",
    "scopes": ["openid", "profile"],
    "grant_types": ["authorization_code", "refresh_token"],
    "requires_par": True,
}
CLIENT: Final = REGISTRATION | {
    "client_id": _ID,
    "jwks": None,
    "jwks_uri": None,
    "id_token_alg": "RS256",
    "sector": "service.example",
    "requires_dpop": False,
    "introspects": False,
    "suspended_at": None,
    "created_at": _TIME,
    "updated_at": None,
    "version": 1,
}
CHANGE: Final = {
    "at": _TIME,
    "actor_id": _ID,
    "change": "registered",
    "values": {"name": "广州市示例政务系统"},
}
CONSENT: Final = {
    "client_id": _ID,
    "name": "广州市示例政务系统",
    "scopes": ["openid", "profile"],
    "given_at": _TIME,
}


class ClientRegistrationSchema(Schema):
    """What an admin registers for another system."""

    name = fields.Str(required=True, validate=validate.Length(2, 80))
    auth_method = fields.Str(required=True, validate=validate.OneOf(client_rules.METHODS))
    redirect_uris = fields.List(fields.Str(validate=_URI), validate=_URIS)
    post_logout_redirect_uris = fields.List(fields.Str(validate=_URI), validate=_URIS)
    backchannel_logout_uri = fields.Str(allow_none=True, validate=_URI)
    scopes = fields.List(fields.Str(validate=validate.Length(1, 40)), validate=_URIS)
    grant_types = fields.List(fields.Str(validate=validate.Length(1, 80)), validate=_URIS)
    jwks = fields.Dict(keys=fields.Str(), allow_none=True)
    jwks_uri = fields.Str(allow_none=True, validate=_URI)
    id_token_alg = fields.Str(validate=validate.OneOf(client_rules.ALGORITHMS))
    sector = fields.Str(allow_none=True, validate=validate.Length(1, 200))
    requires_par = fields.Bool()
    requires_dpop = fields.Bool()
    introspects = fields.Bool()

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Registration:
        lists = ("redirect_uris", "post_logout_redirect_uris", "scopes", "grant_types")
        values: dict[str, Any] = {n: tuple(v) if n in lists else v for n, v in data.items()}
        return Registration(**values)


class ClientSchema(Schema):
    """A client as admins see it; no secret."""

    client_id = fields.Str(required=True)
    name = fields.Str(required=True)
    auth_method = fields.Function(lambda c: c.auth_methods[0], required=True)
    redirect_uris = fields.List(fields.Str(), required=True)
    post_logout_redirect_uris = fields.List(fields.Str(), required=True)
    backchannel_logout_uri = fields.Str(required=True, allow_none=True)
    scopes = fields.List(fields.Str(), required=True)
    grant_types = fields.List(fields.Str(), required=True)
    jwks = fields.Dict(required=True, allow_none=True)
    jwks_uri = fields.Str(required=True, allow_none=True)
    id_token_alg = fields.Str(required=True)
    sector = fields.Str(required=True, allow_none=True)
    requires_par = fields.Bool(required=True)
    requires_dpop = fields.Bool(required=True)
    introspects = fields.Bool(required=True)
    suspended_at = fields.AwareDateTime(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True, allow_none=True)
    version = fields.Int(required=True)


class RegisteredSchema(Schema):
    """The client with the secret that is shown once; null where it has none."""

    client = fields.Nested(ClientSchema, required=True)
    client_secret = fields.Str(required=True, allow_none=True)


class SecretSchema(Schema):
    """The new secret; the old one holds until then."""

    client_secret = fields.Str(required=True)
    former_until = fields.AwareDateTime(required=True)


class ChangeSchema(Schema):
    """One entry of a client's history."""

    at = fields.AwareDateTime(required=True)
    actor_id = fields.Str(required=True)
    change = fields.Str(required=True)
    values = fields.Dict(required=True)


class ChangeListSchema(Schema):
    """The history, the newest first."""

    items = fields.List(fields.Nested(ChangeSchema), required=True)


class ConsentSchema(Schema):
    """What a system may know, as its owner sees it."""

    client_id = fields.Str(required=True)
    name = fields.Str(required=True)
    scopes = fields.List(fields.Str(), required=True)
    given_at = fields.AwareDateTime(required=True)


class ConsentListSchema(Schema):
    """Every consent that holds."""

    items = fields.List(fields.Nested(ConsentSchema), required=True)
