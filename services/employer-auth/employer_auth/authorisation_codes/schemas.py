"""The JSON of authorisation codes: what agents send and are shown, and what units are shown."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from employer_auth.authorisation_codes import rules
from employer_auth.authorisation_codes.handing_in import Form
from employer_auth.authorisation_codes.model import SecretCode
from employer_auth.parts import parts
from servicekit.web.filing import HistoryEntrySchema, OpenMoves
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.reviewing import MAX_REASON
from servicekit.web.session import reading
from servicekit.web.uploads import EXAMPLE as EXAMPLE_UPLOAD
from servicekit.web.uploads import UploadSchema
from servicekit.workflow import State

_ID: Final = validate.Length(1, 36)
_UNIT: Final = "01890a5d-ac96-774b-bcce-b302099a8058"
_CASE: Final = "01890a5d-ac96-774b-bcce-b302099a8062"
_NUMBER: Final = "440106-21-20261121-000001-5"

EXAMPLE_FORM: Final = {
    "units": [{"unit_id": _UNIT, "materials": ["01890a5d-ac96-774b-bcce-b302099a8059"]}],
    "materials": ["01890a5d-ac96-774b-bcce-b302099a8060"],
}
EXAMPLE_MATERIAL: Final = EXAMPLE_UPLOAD | {
    "kind": "unit-licence",
    "state": "attached",
    "delete_at": None,
}
EXAMPLE_CASE: Final = {
    "id": _CASE,
    "number": f"{_NUMBER}-01",
    "state": "submitted",
    "state_label": "待审核",
    "unit_id": _UNIT,
    "unit_name": "广州示例科技有限公司",
    "region": "440106",
    "due_on": "2026-11-27",
    "decision_reason": None,
    "fields_to_correct": [],
    "code_expires_at": None,
    "redeemed_at": None,
    "materials": [EXAMPLE_MATERIAL],
}
EXAMPLE_APPLICATION: Final = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8061",
    "number": _NUMBER,
    "channel": "online",
    "created_at": "2026-11-21T02:00:00+00:00",
    "submitted_at": "2026-11-21T02:10:00+00:00",
    "cases": [EXAMPLE_CASE],
    "materials": [EXAMPLE_MATERIAL | {"kind": "agent-document"}],
    "version": 2,
}
EXAMPLE_ROW: Final = {
    name: EXAMPLE_APPLICATION[name]
    for name in ("id", "number", "channel", "created_at", "submitted_at", "version")
} | {
    "cases": [
        {
            name: EXAMPLE_CASE[name]
            for name in ("id", "unit_id", "unit_name", "state", "state_label")
        }
    ]
}
EXAMPLE_AUTHORISATION: Final = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8063",
    "binding_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "unit_id": _UNIT,
    "person_id": "01890a5d-ac96-774b-bcce-b302099a8064",
    "channel": "online",
    "authorised_at": "2026-11-25T02:00:00+00:00",
    "revoked_at": None,
    "revoke_reason": None,
}
EXAMPLE_UNIT_CASE: Final = {
    "id": _CASE,
    "number": f"{_NUMBER}-01",
    "person_id": "01890a5d-ac96-774b-bcce-b302099a8064",
    "person_name": "林**",
    "channel": "online",
    "state": "approved",
    "state_label": "审核通过",
    "submitted_at": "2026-11-21T02:10:00+00:00",
    "decided_at": "2026-11-24T02:00:00+00:00",
    "decision_reason": None,
    "code_sent_at": "2026-11-24T02:00:00+00:00",
    "code_expires_at": "2026-12-24T02:00:00+00:00",
    "redeemed_at": None,
}
EXAMPLE_KIND: Final = {"code": "unit-licence", "label": "营业执照或登记证书", "for": "unit"}


class UnitFormSchema(Schema):
    """One unit that is ticked, and its papers."""

    unit_id = fields.Str(required=True, validate=validate.Length(1, 80))
    materials = fields.List(
        fields.Str(validate=_ID), load_default=list, validate=validate.Length(max=rules.MOST_FILES)
    )


class AuthorisationFormSchema(Schema):
    """The whole form: the units that are ticked and everything handed in.

    What is not named is let go, so that sending the form again gives the same.
    """

    units = fields.List(
        fields.Nested(UnitFormSchema), required=True, validate=validate.Length(1, rules.MOST_UNITS)
    )
    materials = fields.List(
        fields.Str(validate=_ID), load_default=list, validate=validate.Length(max=rules.MOST_FILES)
    )

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Form:
        """Input becomes a frozen dataclass before it meets an action."""
        units = {unit["unit_id"]: tuple(unit["materials"]) for unit in values["units"]}
        return Form(units, tuple(values["materials"]))


class Materials(fields.List[Any]):
    """The files of a case or an application, as far as they are still kept."""

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.Nested(UploadSchema), required=True, **options)

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Asked for when it is shown: files are no columns."""
        with reading() as db:
            return parts().uploads.of_subject(db, obj.id)


class CaseRowSchema(Schema):
    """One unit of an application, in a list."""

    id = fields.Str(required=True)
    unit_id = fields.Str(required=True)
    unit_name = fields.Str(required=True, attribute="unit.name")
    state = fields.Enum(State, by_value=True, required=True)
    state_label = fields.Str(required=True, attribute="state.label")


class CaseSchema(CaseRowSchema):
    """One unit of an application, as its agent sees it."""

    number = fields.Str(required=True, allow_none=True)
    region = fields.Str(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)
    decision_reason = fields.Str(required=True, allow_none=True)
    fields_to_correct = fields.List(fields.Str(), required=True)
    code_expires_at = fields.AwareDateTime(required=True, allow_none=True)
    redeemed_at = fields.AwareDateTime(required=True, allow_none=True)
    materials = Materials()


class _ApplicationSchema(Schema):
    id = fields.Str(required=True)
    number = fields.Str(required=True, allow_none=True)
    channel = fields.Enum(rules.Channel, by_value=True, required=True)
    created_at = fields.AwareDateTime(required=True)
    submitted_at = fields.AwareDateTime(required=True, allow_none=True)
    version = fields.Int(required=True)


class AuthorisationRowSchema(_ApplicationSchema):
    """A line of one's own applications."""

    cases = fields.List(fields.Nested(CaseRowSchema), required=True)


class AuthorisationApplicationSchema(_ApplicationSchema):
    """An application in full."""

    cases = fields.List(fields.Nested(CaseSchema), required=True)
    materials = Materials()


class MaterialKindSchema(Schema):
    """What has to be handed in, for each unit or once for the agent."""

    code = fields.Str(required=True)
    label = fields.Str(required=True)
    for_ = fields.Str(required=True, data_key="for")


class RedemptionSchema(Schema):
    """授权码实名: the code from the SMS; dashes and capitals do not matter."""

    code = fields.Str(required=True, validate=validate.Length(1, 60))
    unit_id = fields.Str(load_default=None, validate=validate.Length(1, 80))

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The code is secret from here on."""
        return {"typed": SecretCode(values["code"]), "unit_id": values["unit_id"]}


class AuthorisationSchema(Schema):
    """That a person has proved to the agency that they act for a unit."""

    id = fields.Str(required=True)
    binding_id = fields.Str(required=True)
    unit_id = fields.Str(required=True)
    person_id = fields.Str(required=True)
    channel = fields.Enum(rules.Channel, by_value=True, required=True)
    authorised_at = fields.AwareDateTime(required=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)
    revoke_reason = fields.Str(required=True, allow_none=True)


class UnitCaseSchema(Schema):
    """An application for a code, as its unit sees it: by whom, and what became of it."""

    id = fields.Str(required=True)
    number = fields.Str(required=True)
    person_id = fields.Str(required=True, attribute="applicant_id")
    person_name = fields.Str(required=True, attribute="binding.person_name")
    channel = fields.Enum(
        rules.Channel, by_value=True, required=True, attribute="application.channel"
    )
    state = fields.Enum(State, by_value=True, required=True)
    state_label = fields.Str(required=True, attribute="state.label")
    submitted_at = fields.AwareDateTime(required=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    decision_reason = fields.Str(required=True, allow_none=True)
    code_sent_at = fields.AwareDateTime(required=True, allow_none=True)
    code_expires_at = fields.AwareDateTime(required=True, allow_none=True)
    redeemed_at = fields.AwareDateTime(required=True, allow_none=True)


class RevocationSchema(Schema):
    """撤销: why."""

    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])


class CaseEntrySchema(HistoryEntrySchema):
    """One move of one unit's part of an application."""


class OpenCaseMoves(OpenMoves):
    """The buttons of one case."""

    def __init__(self) -> None:
        super().__init__(rules.WORKFLOW)
